/** @file The stage: the picture, the map on it, the patch that is pointed at, boxes. One stop for the keyboard; arrows go from patch to patch. */
import { useRef } from 'preact/hooks';
import type { Scale } from '../../../report/attribution/normalise.ts';
import { announce } from '../state/announce.ts';
import type { ShownPicture } from '../state/picture-files.ts';
import { dragBox, patchAt, patchBeside, patchBox, percentages } from './geometry.ts';
import { Heat } from './heat.tsx';
import type { ImageMap, Shown } from './maps.ts';
import { colourMapOf } from './scales.ts';
import { boxes, draft, drawing, opacity, overlay, pointed, smooth } from './view.ts';
import { patchText } from './words.ts';

/** What the stage shows. */
export interface StageProps {
  readonly picture: ShownPicture;
  readonly shown: Shown;
  /** The map that is drawn, where it is another than the shown one: a word's interactions. */
  readonly map?: ImageMap;
  readonly scale: Scale;
  /** Names the map for those who cannot see it. */
  readonly title: string;
  /** What is said of a patch, where it is another thing than its value. */
  readonly say?: (patch: number) => string;
}

/** Corner at which a box by keys began. */
let anchor: number | undefined;

/** The stage of one map. */
export function Stage({ picture, shown, map = shown.image, scale, title, say }: StageProps) {
  const frame = useRef<HTMLDivElement>(null);
  const start = useRef<readonly [number, number] | undefined>(undefined);
  const at = (event: PointerEvent): readonly [number, number] => {
    const rectangle = (frame.current as HTMLDivElement).getBoundingClientRect();
    return [
      ((event.clientX - rectangle.left) / rectangle.width) * picture.width,
      ((event.clientY - rectangle.top) / rectangle.height) * picture.height,
    ];
  };
  const add = (box: ReturnType<typeof dragBox>): void => {
    draft.value = undefined;
    if (!box) return;
    boxes.value = [...boxes.peek(), box];
    announce(`Box ${boxes.peek().length} added.`);
  };
  const move = (event: PointerEvent): void => {
    const [x, y] = at(event);
    if (start.current) draft.value = dragBox(start.current, [x, y], picture);
    else if (map) pointed.value = { patch: patchAt(map, x, y) };
  };
  const down = (event: PointerEvent): void => {
    if (!drawing.value || event.button !== 0) {
      move(event);
      return;
    }
    event.preventDefault();
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    start.current = at(event);
  };
  const up = (event: PointerEvent): void => {
    if (!start.current) return;
    add(dragBox(start.current, at(event), picture));
    start.current = undefined;
  };
  const keys = (event: KeyboardEvent): void => {
    if (!map || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = pointed.peek().patch ?? strongest(map);
    if (event.key === 'Escape') {
      pointed.value = {};
      draft.value = undefined;
      anchor = undefined;
    } else if (event.key === 'Enter' && drawing.value) {
      add(patchBox(map, picture, anchor ?? now, now));
      anchor = undefined;
    } else {
      const next = pointed.peek().patch === undefined && event.key.startsWith('Arrow') ? now : patchBeside(map.grid, now, event.key);
      if (next === undefined) return;
      if (event.shiftKey && drawing.value) {
        anchor ??= now;
        draft.value = patchBox(map, picture, anchor, next);
      } else {
        anchor = undefined;
        draft.value = undefined;
      }
      pointed.value = { patch: next };
      announce(say?.(next) ?? patchText(next, { ...shown, image: map }, scale));
    }
    event.preventDefault();
  };
  const { patch } = pointed.value;
  const marked = map && patch !== undefined && patch < map.patches.length ? patchBox(map, picture, patch) : undefined;
  const hint = drawing.value
    ? 'Drag to draw a box. By keys: arrows, Shift and arrows to widen, Enter to add.'
    : 'Arrow keys go from patch to patch.';
  return (
    <div
      ref={frame}
      class={`stage${drawing.value ? ' drawing' : ''}`}
      style={{ aspectRatio: `${picture.width} / ${picture.height}`, '--ratio': String(picture.width / picture.height) }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the map is one stop, arrow keys walk its patches
      tabIndex={0}
      role="application"
      aria-roledescription="map"
      aria-label={`${title}. ${hint}`}
      onPointerMove={move}
      onPointerDown={down}
      onPointerUp={up}
      onPointerLeave={() => {
        if (!start.current) pointed.value = {};
      }}
      onKeyDown={keys}
    >
      <img
        src={picture.url}
        alt={picture.name}
        class={`${Math.max(picture.width, picture.height) < 200 ? 'tiny' : ''}${overlay.value === 'heat' || (scale.signed && map) ? ' grey' : ''}`}
        draggable={false}
      />
      {map && (
        <Heat
          map={map}
          size={picture}
          scale={scale}
          colours={colourMapOf(scale)}
          method={overlay.value}
          opacity={opacity.value}
          smooth={smooth.value}
        />
      )}
      {boxes.value.map((box, i) => (
        <span key={i} class="drawn-box" style={percentages(box, picture)}>
          <b>{i + 1}</b>
        </span>
      ))}
      {draft.value && <span class="drawn-box draft" style={percentages(draft.value, picture)} />}
      {marked && <span class="patch-mark" style={percentages(marked, picture)} />}
    </div>
  );
}

function strongest({ patches }: ImageMap): number {
  let best = 0;
  for (let i = 1; i < patches.length; i++) if (patches[i] > patches[best]) best = i;
  return best;
}
