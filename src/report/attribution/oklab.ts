/** @file OKLab and OKLCH to sRGB and back (Björn Ottosson, "A perceptual color space for image processing", 2020). */

/** Three numbers: RGB in 0–255, or OKLab as lightness 0–1, a, b. */
export type Triple = readonly [number, number, number];

const toLinear = (byte: number): number => {
  const v = byte / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
};
const fromLinear = (v: number): number => 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);

/** sRGB (0–255, fractions allowed) to OKLab. */
export function rgbToOklab([red, green, blue]: Triple): Triple {
  const [r, g, b] = [toLinear(red), toLinear(green), toLinear(blue)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function oklabToLinear([lightness, a, b]: Triple): Triple {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/**
 * OKLCH to sRGB (0–255, not rounded). Lightness and hue are kept; chroma is lowered until the colour can be shown.
 * @param hue degrees.
 */
export function oklchToRgb(lightness: number, chroma: number, hue: number): Triple {
  const angle = (hue * Math.PI) / 180;
  const at = (c: number) => oklabToLinear([lightness, c * Math.cos(angle), c * Math.sin(angle)]);
  const fits = (v: Triple) => v.every(x => x >= -1e-4 && x <= 1 + 1e-4);
  let [low, high] = [0, chroma];
  if (fits(at(chroma))) low = chroma;
  for (let i = 0; i < 24 && low < high; i++) {
    const middle = (low + high) / 2;
    if (fits(at(middle))) low = middle;
    else high = middle;
  }
  const [r, g, b] = at(low).map(v => fromLinear(Math.min(1, Math.max(0, v)))) as [number, number, number];
  return [r, g, b];
}

/** WCAG 2 relative luminance of an sRGB colour (0–255), between 0 and 1. */
export const luminance = ([r, g, b]: Triple): number => 0.2126 * toLinear(r) + 0.7152 * toLinear(g) + 0.0722 * toLinear(b);

/** WCAG 2 contrast ratio of two sRGB colours, between 1 and 21. */
export function contrast(a: Triple, b: Triple): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}
