/** @file A world of plain shapes for tests: no art, no librsvg, so its hashes hold on every machine. */
import { packSprites, type SceneWorld, type Sprite } from '../sprite-atlas.ts';

/** `concepts` shapes in two styles and four sizes: rectangles and ellipses of known colour, some with soft edges. */
export function syntheticWorld(concepts = 12): SceneWorld {
  const sizes = [20, 26, 34, 44];
  const make = (concept: number, size: number, style: number): Sprite => {
    const width = concept % 3 === 0 ? size : Math.round(size * 0.7);
    const height = concept % 3 === 0 ? Math.round(size * 0.6) : size;
    const pixels = new Uint8Array(width * height * 4);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [u, v] = [(2 * x + 1) / width - 1, (2 * y + 1) / height - 1];
        const inside = concept % 2 === 0 || u * u + v * v <= 1;
        const rim = x === 0 || y === 0 || x === width - 1 || y === height - 1;
        const alpha = inside ? (rim && style === 1 ? 100 : 255) : 0;
        const color = [(concept * 53) % 256, (concept * 101 + 60 * style) % 256, (concept * 29 + 128) % 256];
        for (let c = 0; c < 3; c++) pixels[(y * width + x) * 4 + c] = Math.round((color[c] * alpha) / 255);
        pixels[(y * width + x) * 4 + 3] = alpha;
      }
    }
    return { width, height, pixels };
  };
  const sets = ['plain', 'soft'].map((name, style) =>
    packSprites(
      name,
      sizes,
      Array.from({ length: concepts }, (_, c) => sizes.map(size => make(c, size, style))),
    ),
  );
  return { sets };
}
