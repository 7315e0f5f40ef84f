/** @file PyTorch as a worker process (a script in peers/): one JSON line there, one back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Python of the peers' own environment, or undefined where setup.sh has not been run. */
export function peerPython(): string | undefined {
  const python = here('./peers/.venv/bin/python');
  return existsSync(python) ? python : undefined;
}

/** A reply; which keys it has, the worker's `--help` says. */
export type Reply = Readonly<Record<string, unknown>>;

/** The Python worker. It is idle unless a command is under way. */
export class Peer {
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;
  private loaded = '';

  private constructor(private readonly process: ChildProcess) {
    this.reader = createInterface({ input: process.stdout! });
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** @throws Error where the environment is missing */
  static async start(
    threads: number,
    script: 'm2ib_torch.py' | 'attribution_torch.py' | 'llava_torch.py' = 'm2ib_torch.py',
  ): Promise<Peer> {
    const python = peerPython();
    if (!python) throw new Error('bench/peers/.venv is missing; run: bash bench/peers/setup.sh');
    const env = { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error', PYTHONWARNINGS: 'ignore' };
    const peer = new Peer(spawn(python, [here(`./peers/${script}`)], { stdio: ['pipe', 'pipe', 'inherit'], env }));
    await peer.ask({ cmd: 'threads', n: threads });
    return peer;
  }

  /** @throws Error with the worker's own words when a command fails */
  async ask(command: Readonly<Record<string, unknown>>): Promise<Reply> {
    this.process.stdin!.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`The Python worker ended during "${command.cmd}".`);
    const reply = JSON.parse(value) as Reply;
    if (!reply.ok) throw new Error(`The Python worker refused "${command.cmd}": ${reply.error}`);
    return reply;
  }

  /** Seconds that a command took, by the worker's clock. */
  async seconds(command: Readonly<Record<string, unknown>>): Promise<number> {
    return Number((await this.ask(command)).seconds);
  }

  /** Loads a model directory unless it is loaded already. */
  async load(directory: string): Promise<void> {
    if (this.loaded !== directory) await this.ask({ cmd: 'load', directory });
    this.loaded = directory;
  }

  stop(): void {
    this.process.stdin!.end(`${JSON.stringify({ cmd: 'quit' })}\n`);
    this.reader.close();
  }
}
