/**
 * @file Unit features of coalitions that were encoded already. They depend on the picture (or the caption) and the removal only, so one
 * set of masked images serves every prompt, seed and method that asks for it.
 */
import { digestHex } from '../../system/sha256.ts';
import type { Tensor } from '../../tensor/tensor.ts';

interface Scene {
  readonly width: number;
  readonly index: Map<string, number>;
  rows: Float32Array;
}

/** Features by scene (a picture or caption under one removal and one set of players) and coalition. The oldest scenes make room. */
export class FeatureStore {
  private readonly scenes = new Map<string, Scene>();
  private bytes = 0;

  /** @param limit bytes; 32 MiB by default, about eight pictures under 2,000 masks */
  constructor(readonly limit: number = 32 * 2 ** 20) {}

  /** The feature [E] of a coalition, or undefined. */
  get(scene: string, coalition: string): Float32Array | undefined {
    const found = this.scenes.get(scene);
    const at = found?.index.get(coalition);
    return at === undefined ? undefined : found!.rows.subarray(at * found!.width, (at + 1) * found!.width);
  }

  /** Keeps a feature; does nothing where this scene by itself would pass the limit. */
  set(scene: string, coalition: string, feature: Float32Array): void {
    let store = this.scenes.get(scene);
    if (!store) {
      store = { width: feature.length, index: new Map(), rows: new Float32Array(16 * feature.length) };
      this.bytes += store.rows.byteLength;
    }
    // The scene in use goes to the end of the queue.
    this.scenes.delete(scene);
    this.scenes.set(scene, store);
    if (store.index.has(coalition)) return;
    const at = store.index.size;
    if ((at + 1) * store.width > store.rows.length) {
      if (store.rows.byteLength * 2 > this.limit) return;
      const larger = new Float32Array(store.rows.length * 2);
      larger.set(store.rows);
      this.bytes += store.rows.byteLength;
      store.rows = larger;
    }
    store.rows.set(feature, at * store.width);
    store.index.set(coalition, at);
    for (const [name, oldest] of this.scenes) {
      if (this.bytes <= this.limit || oldest === store) break;
      this.scenes.delete(name);
      this.bytes -= oldest.rows.byteLength;
    }
  }

  async release(): Promise<void> {
    this.scenes.clear();
    this.bytes = 0;
  }
}

/** A name of a tensor's content. */
export function contentName(t: Tensor): Promise<string> {
  const { buffer, byteOffset, byteLength } = t.data;
  return digestHex(t.shape.join(), new Uint8Array(buffer, byteOffset, byteLength));
}
