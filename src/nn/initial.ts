/** @file Fresh weights from Philox. */
import { RandomStream } from '../tensor/random.ts';

/** `count` normal numbers of a standard deviation. One stream per tensor (`init.NAME`): adding a tensor changes no other. */
export function initialNormals(name: string, count: number, std: number, seed: number): Float32Array {
  const data = new RandomStream(seed, `init.${name}`).normals(0, 0, new Float32Array(count));
  for (let i = 0; i < data.length; i++) data[i] *= std;
  return data;
}

/**
 * Orthonormal rows [rows, columns], uniform among all such: normal numbers of the stream `init.NAME`, by Gram and Schmidt, each row twice so that
 * rounding leaves nothing. @throws RangeError for more rows than columns
 */
export function initialOrthonormal(name: string, rows: number, columns: number, seed: number): Float32Array {
  if (rows > columns) throw new RangeError(`${rows} rows of ${columns} numbers cannot be orthonormal.`);
  const out = Float64Array.from(initialNormals(name, rows * columns, 1, seed));
  for (let i = 0; i < rows; i++) {
    const row = out.subarray(i * columns, (i + 1) * columns);
    for (let k = 0; k < 2 * i; k++) {
      const other = out.subarray((k % i) * columns, ((k % i) + 1) * columns);
      const along = row.reduce((sum, v, c) => sum + v * other[c], 0);
      for (let c = 0; c < columns; c++) row[c] -= along * other[c];
    }
    const length = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
    for (let c = 0; c < columns; c++) row[c] /= length;
  }
  return Float32Array.from(out);
}
