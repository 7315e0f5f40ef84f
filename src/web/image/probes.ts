/**
 * @file Whether this browser's decoders give Pillow's bytes: two small files are decoded once and compared (made by testdata/make_probes.py with
 * Pillow 13.0.0). Chromium and Firefox share libjpeg-turbo and libwebp with Pillow; others do not, and versions may come to differ.
 */
import { PromiseCache } from '../../system/promise-cache.ts';
import { digestHex } from '../../system/sha256.ts';
import { nativePixels, nativePixelsUnderAlpha } from './native.ts';
import { webpHeader } from './webp.ts';

const PROBES = {
  jpeg: {
    file:
      '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//' +
      '2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAANABMDASIAAhEBAxEB/8QA' +
      'GAAAAgMAAAAAAAAAAAAAAAAAAAUDBAb/xAAlEAABBAIBBAEFAAAAAAAAAAABAgMEEQAhQQUSIjETFlFhcbH/xAAVAQEBAAAAAAAAAAAAAAAAAAAEA//EACMR' +
      'AAIBAgQHAAAAAAAAAAAAAAECEQADBAWB0RITImGhstL/2gAMAwEAAhEDEQA/AE/S+pS4iuyYFymfVqPmnezfP6P42M1jMOJMjh+MsONkkWBuxxR2MVGE0EE1' +
      '6H2yKP8AJAdMqM6pDoFXQNg8EHRGH5Fp7YdRDET21G1Uy7DrehrfSfBq1ITEZfU2pl1RSaJSkEf3DEv1aV+b0EKcVtZS4ACeaHbrDGrgXgTb9fqjNmeayeFR' +
      'Gm9f/9k=',
    sha256: '2788d9a1d27a5e5f314976f541b7861880690d345f796e3139263d6560be8f49',
  },
  webp: {
    file:
      'UklGRtoAAABXRUJQVlA4IM4AAACQBQCdASoTAA0APtFUo0uoJKMhsAgBABoJbACdMoLUDqAf27CQMkA3kQiChikI/Xt+FxzfEAD+0gzwWx5MszfHT9hBTayJ' +
      'MfSsgg8ZFWdZvLxRQN6U8sNRayHmYu6mlFEIdKr1kTqdtjvva+UvV7H+IVvjSGHHx0+mAUGxTGwpg+6UhJxZa+1kS0DpSgeltJ+i1pdvrcTFE/giPBGMvvK0' +
      'k/z/4at/zMl1qlno5M/0J/bRv4Nd1w1eImG5PJpfSPewZk+/6Tl9aOMi/0AAAA==',
    sha256: 'ed0f6b32492d0557faab9405db0f36382f01dbeee1a92f618a63f2d104270db3',
  },
  'webp without loss': {
    file:
      'UklGRmQBAABXRUJQVlA4TFgBAAAvEgADEM1lRP9jV+iI/odDUdtGEobyx+n30pjZawSyybK4P2MAkAQAIBSlsW1Ptuu0/3/AnrJtm0jbNlR++MUKHhJagHAE' +
      'hzs+uGCPM3h0wOILEP+QsJepI6AHHCtVWGhDxMlhDBMrhyBCWMhMPBAEjSv2UIFiDBAwrqCA4w0QG8AIyPL5AsAHNAawcQEJwEAb7jhCA4ylykD8AIBy8bGC' +
      'DM0Dwgt3g4ELHuBgyFiDAAYByHiDwRc6CIzhgsURHnCcIcuLSACE6nCFAwgsImCA4IY8CLAuLwhy5qxggEBCcwWKHD4IaRjgSOMMByRYeRll3GCCAgAFnMLH' +
      'Gyp4F9SF9SFkITRw0ABDBQ4bMYSRB4Y3PCDIAQQFU2aPAR42AGQcMGTwQBG+xkYQSZAwQcmBIKAj7cAhg5iCd/jDyyWCMgQgaMriCaIKzkAhhhpEA4iSTxEK' +
      'sjD1AA==',
    sha256: '19f785bbe0abcc2102b94be85dae7f239d304bdccf7fe2d87ab5dcc0469cb84f',
  },
} as const;

const asked = new PromiseCache<boolean, keyof typeof PROBES>();

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), c => c.charCodeAt(0));

function probe(kind: keyof typeof PROBES): Promise<boolean> {
  return asked.get(kind, async () => {
    const { file, sha256 } = PROBES[kind];
    const bytes = bytesOf(file);
    try {
      const type = kind === 'jpeg' ? 'image/jpeg' : 'image/webp';
      const plain = kind === 'jpeg' ? bytes : webpHeader(bytes).plain;
      const image = await (kind === 'webp without loss' ? nativePixelsUnderAlpha : nativePixels)(plain, type);
      return image !== undefined && (await digestHex(image.data)) === sha256;
    } catch {
      return false;
    }
  });
}

/** Whether the decoder of a format gave Pillow's bytes for its probe. Asked once. */
export const decodesAsPillow = (format: keyof typeof PROBES): Promise<boolean> => probe(format);
