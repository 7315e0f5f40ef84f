/** @file Conversions between float32 and 16-bit floats, a whole array at a time. They work on bits, so NaN payloads survive. */

let halfTable: Uint32Array | undefined;

/** float32 bits of every float16 code, 256 kB, built at first use. */
function table(): Uint32Array {
  if (halfTable) return halfTable;
  const bits = new Uint32Array(65536);
  const floats = new Float32Array(bits.buffer);
  for (let code = 0; code < 65536; code++) {
    const sign = (code & 0x8000) << 16;
    const exponent = (code >> 10) & 31;
    const fraction = code & 1023;
    if (exponent === 31) bits[code] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent > 0) bits[code] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else {
      floats[code] = fraction * 2 ** -24;
      bits[code] |= sign;
    }
  }
  halfTable = bits;
  return bits;
}

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** float16 codes to float32; exact. Writes to `out` where given (same length). */
export function halvesToFloats(codes: Uint16Array, out: Float32Array = new Float32Array(codes.length)): Float32Array {
  const bits = bitsOf(out);
  const from = table();
  for (let i = 0; i < codes.length; i++) bits[i] = from[codes[i]];
  return out;
}

/** bfloat16 codes (the upper halves of float32) to float32; exact. Writes to `out` where given (same length). */
export function bfloatsToFloats(codes: Uint16Array, out: Float32Array = new Float32Array(codes.length)): Float32Array {
  const bits = bitsOf(out);
  for (let i = 0; i < codes.length; i++) bits[i] = codes[i] << 16;
  return out;
}

/** float32 to float16 codes, to nearest, ties to even; from 65520 on infinity. Writes to `out` where given (same length). */
export function floatsToHalves(values: Float32Array, out: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  const bits = bitsOf(values);
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i] >>> 16) & 0x8000;
    const a = bits[i] & 0x7fffffff;
    if (a >= 0x38800000) {
      // Normal numbers, 2^-14 and above: rebias the exponent and round the 13 bits that fall off; a carry may run into the exponent.
      if (a < 0x477ff000) out[i] = sign | ((a - 0x38000000 + 0xfff + ((a >>> 13) & 1)) >>> 13);
      else out[i] = sign | 0x7c00 | (a > 0x7f800000 ? (a >>> 13) & 1023 || 0x200 : 0);
    } else if (a < 0x33000000) out[i] = sign;
    else {
      // Subnormal: the mantissa counted in units of 2^-24.
      const shift = 126 - (a >>> 23);
      const mantissa = (a & 0x7fffff) | 0x800000;
      const whole = mantissa >>> shift;
      const rest = mantissa - (whole << shift);
      const tie = 1 << (shift - 1);
      out[i] = sign | (whole + (rest > tie || (rest === tie && whole & 1) ? 1 : 0));
    }
  }
  return out;
}

/** float32 to bfloat16 codes, to nearest, ties to even. Writes to `out` where given (same length). */
export function floatsToBfloats(values: Float32Array, out: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  const bits = bitsOf(values);
  for (let i = 0; i < bits.length; i++) {
    const u = bits[i];
    if ((u & 0x7fffffff) > 0x7f800000) out[i] = u & 0x7f0000 ? u >>> 16 : (u >>> 16) | 0x40;
    else out[i] = (u + 0x7fff + ((u >>> 16) & 1)) >>> 16;
  }
  return out;
}
