/** @file Writes an `OnnxGraph` as the bytes of an ONNX ModelProto (https://github.com/onnx/onnx, onnx.proto3; IR version 10, opset 21). */
import type { WeightFile } from '../node/weight-guard.ts';
import type { WeightLocation } from '../runtime/runtime.ts';
import { ProtoWriter } from '../system/protobuf.ts';
import { DTYPES } from '../tensor/dtype.ts';
import type { ExternalData, OnnxAttribute, OnnxGraph, OnnxTensor, OnnxValueInfo } from './onnx-graph.ts';

const IR_VERSION = 10;
const OPSET = 21;
const EXTERNAL = 1;

/** The weights of a graph that stand outside of it, in the order in which `encodeModel` names them. */
export const externalWeights = (graph: OnnxGraph): ExternalData[] =>
  graph.initializers.flatMap(({ content }) => (content instanceof Uint8Array ? [] : [content]));

/** Every weight file of a graph, and up to which byte it is read. */
export function weightFiles(graph: OnnxGraph): WeightFile[] {
  const ends = new Map<string, number>();
  for (const { content } of graph.initializers)
    if ('file' in content) ends.set(content.file, Math.max(ends.get(content.file) ?? 0, content.offset + content.length));
  return [...ends].map(([file, bytes]) => ({ file, bytes }));
}

/** @param locations what the runtime calls each of `externalWeights(graph)` */
export function encodeModel(graph: OnnxGraph, locations: readonly WeightLocation[] = []): Uint8Array {
  const places = new Map(externalWeights(graph).map((weight, i) => [weight, locations[i]]));
  const model = new ProtoWriter();
  model.varint(1, IR_VERSION).string(2, 'narrows');
  model.message(7, g => {
    for (const node of graph.nodes)
      g.message(1, n => {
        for (const name of node.inputs) n.string(1, name);
        for (const name of node.outputs) n.string(2, name);
        n.string(3, node.name).string(4, node.opType);
        for (const [key, value] of Object.entries(node.attributes)) n.message(5, a => encodeAttribute(a, key, value));
        if (node.domain) n.string(7, node.domain);
      });
    g.string(2, 'narrows');
    for (const t of graph.initializers) g.message(5, w => encodeTensor(w, t, places));
    for (const v of graph.inputs) g.message(11, w => encodeValueInfo(w, v));
    for (const v of graph.outputs) g.message(12, w => encodeValueInfo(w, v));
  });
  model.message(8, o => o.string(1, '').varint(2, OPSET));
  model.message(8, o => o.string(1, 'com.microsoft').varint(2, 1));
  return model.finish();
}

function encodeAttribute(w: ProtoWriter, name: string, value: OnnxAttribute): void {
  w.string(1, name);
  if (typeof value === 'number') w.varint(3, value).varint(20, 2);
  else if (typeof value === 'string') w.string(4, value).varint(20, 3);
  else if ('float' in value) w.float(2, value.float).varint(20, 1);
  else {
    for (const v of value) w.varint(8, v);
    w.varint(20, 7);
  }
}

function encodeTensor(w: ProtoWriter, t: OnnxTensor, places: ReadonlyMap<ExternalData, WeightLocation>): void {
  w.packedVarints(1, t.shape).varint(2, DTYPES[t.dtype].onnx).string(8, t.name);
  if (t.content instanceof Uint8Array) {
    w.bytes(9, t.content);
    return;
  }
  const { location, offset, length } = places.get(t.content)!;
  for (const [key, value] of Object.entries({ location, offset, length })) w.message(13, e => e.string(1, key).string(2, String(value)));
  w.varint(14, EXTERNAL);
}

function encodeValueInfo(w: ProtoWriter, v: OnnxValueInfo): void {
  w.string(1, v.name);
  w.message(2, type =>
    type.message(1, t => {
      t.varint(1, DTYPES[v.dtype].onnx);
      t.message(2, shape => {
        for (const d of v.shape) shape.message(1, dim => (typeof d === 'number' ? dim.varint(1, d) : dim.string(2, d)));
      });
    }),
  );
}
