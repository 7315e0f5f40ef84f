/** @file TensorBoard event files with scalars (messages of tensorboard/compat/proto/event.proto and summary.proto). */
import { join } from '../../node/paths.ts';
import { ProtoWriter } from '../../system/protobuf.ts';
import { AppendFile } from './append-file.ts';
import { frameRecord } from './tfrecord.ts';

// Field numbers of Event, Summary, Summary.Value and SessionLog.
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const SUMMARY_VALUE = 1;
const VALUE = { tag: 1, simpleValue: 2 } as const;
const SESSION = { status: 1, start: 1 } as const;

let files = 0;

/** Writer of one event file; a run may have several, TensorBoard reads them in the order of their names. */
export class EventFile {
  private readonly file: AppendFile;

  /**
   * Makes a new event file in `directory`.
   * @param lastStep of a resumed run: TensorBoard is instructed to forget what earlier files hold of later steps.
   * @param clock seconds since 1970.
   * @throws NarrowsError when the file cannot be written.
   */
  constructor(
    directory: string,
    lastStep?: number,
    private readonly clock: () => number = () => Date.now() / 1000,
  ) {
    const time = String(Math.floor(clock())).padStart(10, '0');
    this.file = new AppendFile(join(directory, `events.out.tfevents.${time}.narrows.${process.pid}.${files++}`));
    this.event(event => event.string(EVENT.fileVersion, 'brain.Event:2'));
    if (lastStep !== undefined) {
      this.event(event =>
        event.varint(EVENT.step, lastStep + 1).message(EVENT.sessionLog, log => log.varint(SESSION.status, SESSION.start)),
      );
    }
  }

  get path(): string {
    return this.file.path;
  }

  /** Writes scalars (rounded to float32) under their tags, e.g. `train/loss`. @throws NarrowsError when they cannot be written. */
  scalars(step: number, values: Readonly<Record<string, number>>): void {
    this.event(event =>
      event.varint(EVENT.step, step).message(EVENT.summary, summary => {
        for (const [tag, value] of Object.entries(values)) {
          summary.message(SUMMARY_VALUE, item => item.string(VALUE.tag, tag).float(VALUE.simpleValue, value));
        }
      }),
    );
  }

  close(): void {
    this.file.close();
  }

  private event(fill: (event: ProtoWriter) => void): void {
    const event = new ProtoWriter().double(EVENT.wallTime, this.clock());
    fill(event);
    this.file.append(frameRecord(event.finish()));
  }
}
