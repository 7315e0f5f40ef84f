/** @file What every kind of LLaVA does alike once loaded: compiles its graphs once, checks pixels, and is released. */
import { type CompiledGraph, compile, type Value } from '../../graph/index.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { LlavaConfig } from './config.ts';
import type { LlavaParts } from './load.ts';

/** A loaded model's graphs. Release it (or `await using`) when done. */
export class LlavaRunner<C extends LlavaConfig> implements AsyncDisposable {
  private readonly graphs = new Map<string, Promise<CompiledGraph>>();

  constructor(readonly parts: LlavaParts<C>) {}

  get config(): C {
    return this.parts.config;
  }

  /** Compiles once by name. */
  protected compiled(name: string, trace: () => Record<string, Value>): Promise<CompiledGraph> {
    let graph = this.graphs.get(name);
    if (!graph) {
      graph = compile(this.parts.runtime, trace(), { prepack: this.parts.prepack });
      this.graphs.set(name, graph);
      graph.catch(() => this.graphs.delete(name));
    }
    return graph;
  }

  /** @throws NarrowsError for images of another size than the tower's */
  protected checkPixels({ shape }: Tensor): void {
    const { num_channels: channels, image_size: size } = this.config.vision_config;
    if (shape.length === 4 && shape[1] === channels && shape[2] === size && shape[3] === size) return;
    throw new NarrowsError(
      `Images of shape [${shape.join(', ')}] were given, but the vision tower takes [images, ${channels}, ${size}, ${size}]; let the model's own processor prepare them.`,
    );
  }

  /** Frees what was compiled. */
  async release(): Promise<void> {
    const graphs = [...this.graphs.values()];
    this.graphs.clear();
    for (const graph of graphs) await (await graph.catch(() => undefined))?.release();
    if (this.parts.ownsRuntime) await this.parts.runtime.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
