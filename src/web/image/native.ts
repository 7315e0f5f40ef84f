/** @file Opaque pictures through the browser's own decoder, with nothing done to their colours. */
import { type RgbImage, rgbFromBands } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';

/** Side of the pieces in which pixels are read back: canvases have limits of their own. */
const TILE = 2048;

/** A canvas to read back from. */
function readable(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  if (!context) throw new NarrowsError('This browser gives no canvas to read pictures with; restart it.');
  return context;
}

/**
 * RGB bytes of a file without transparency. A profile is ignored, an orientation tag that is still in it is not.
 * @param type its MIME type
 * @throws Error of the browser for a file that it cannot decode
 */
export async function nativePixels(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<RgbImage> {
  const blob = new Blob([bytes], { type });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  try {
    const { width, height } = bitmap;
    const data = new Uint8Array(width * height * 3);
    const context = readable(Math.min(TILE, width), Math.min(TILE, height));
    for (let top = 0; top < height; top += TILE)
      for (let left = 0; left < width; left += TILE) {
        const [columns, rows] = [Math.min(TILE, width - left), Math.min(TILE, height - top)];
        context.drawImage(bitmap, -left, -top);
        const { data: rgba } = context.getImageData(0, 0, columns, rows);
        for (let y = 0; y < rows; y++)
          for (let x = 0, from = y * columns * 4, to = ((top + y) * width + left) * 3; x < columns; x++, from += 4, to += 3) {
            data[to] = rgba[from];
            data[to + 1] = rgba[from + 1];
            data[to + 2] = rgba[from + 2];
          }
      }
    return { width, height, data };
  } finally {
    bitmap.close();
  }
}

/**
 * RGB bytes of a file with transparency, the colours under it as they are stored: a texture takes them without multiplying, a canvas does not.
 * @returns undefined where there is no WebGL, or the picture is larger than its textures
 */
export async function nativePixelsUnderAlpha(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<RgbImage | undefined> {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (!gl) return undefined;
  const bitmap = await createImageBitmap(new Blob([bytes], { type }), { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  try {
    const { width, height } = bitmap;
    if (Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return undefined;
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, gl.getParameter(gl.TEXTURE_BINDING_2D), 0);
    const rgba = new Uint8Array(width * height * 4);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
    return gl.getError() === gl.NO_ERROR ? rgbFromBands(width, height, 4, rgba) : undefined;
  } finally {
    bitmap.close();
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}
