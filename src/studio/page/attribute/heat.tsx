/** @file The colours' layer: a map drawn on a canvas over the picture, smooth or patch by patch. */
import { useEffect, useRef } from 'preact/hooks';
import type { ColourMap } from '../../../report/attribution/colour-map.ts';
import type { Scale } from '../../../report/attribution/normalise.ts';
import { type OverlayStyle, overlayLayer } from '../../../report/attribution/overlay.ts';
import { HEAT_PIXELS } from './limits.ts';
import type { ImageMap } from './maps.ts';

/** What is drawn and how. */
export interface HeatProps {
  readonly map: ImageMap;
  /** Of the picture, in pixels. */
  readonly size: { readonly width: number; readonly height: number };
  readonly scale: Scale;
  readonly colours: ColourMap;
  readonly method: OverlayStyle['method'];
  readonly opacity: number;
  readonly smooth: boolean;
}

/** Each patch as a square of equal values, so that interpolation shows its edges. */
export function blocky(map: ImageMap, times = 16): ImageMap {
  if (map.pixels) return map;
  const [rows, columns] = map.grid;
  const values = new Float32Array(rows * columns * times * times);
  const width = columns * times;
  for (let y = 0; y < rows * times; y++)
    for (let x = 0; x < width; x++) values[y * width + x] = map.patches[Math.floor(y / times) * columns + Math.floor(x / times)];
  return { ...map, pixels: { height: rows * times, width, values } };
}

/** Draws a map. */
export function Heat({ map, size, scale, colours, method, opacity, smooth }: HeatProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !canvas.current) return;
    const zoom = HEAT_PIXELS / Math.max(size.width, size.height);
    const width = Math.max(1, Math.round(size.width * zoom));
    const height = Math.max(1, Math.round(size.height * zoom));
    canvas.current.width = width;
    canvas.current.height = height;
    const layer = overlayLayer(smooth ? map : blocky(map), size, width, height, { method, map: colours, scale, opacity });
    context.putImageData(new ImageData(new Uint8ClampedArray(layer.data), width, height), 0, 0);
  }, [map, size.width, size.height, scale, colours, method, opacity, smooth]);
  return <canvas ref={canvas} class="heat" />;
}
