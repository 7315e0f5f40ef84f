/** @file Which columns of a parquet file hold bytes, and a view of its metadata without them: bytes are only read when they are asked for. */
import type { FileMetaData, SchemaElement } from 'hyparquet';

/** How a column is read. */
export interface ByteColumn {
  readonly name: string;
  /** `picture`: a record with `bytes` and perhaps `path`; `bytes`: a column of bytes; `list`: bytes somewhere inside lists. */
  readonly kind: 'picture' | 'bytes' | 'list';
  /** Of a picture: what stands with the bytes can be read without them. */
  readonly hasPath: boolean;
}

interface Node {
  readonly element: SchemaElement;
  readonly children: readonly Node[];
}

function tree(schema: readonly SchemaElement[], at: { i: number }): Node {
  const element = schema[at.i++];
  return { element, children: Array.from({ length: element.num_children ?? 0 }, () => tree(schema, at)) };
}

const isText = ({ converted_type: converted, logical_type: logical }: SchemaElement): boolean =>
  ['UTF8', 'ENUM', 'JSON', 'DECIMAL'].includes(converted ?? '') ||
  ['STRING', 'ENUM', 'JSON', 'DECIMAL', 'UUID', 'FLOAT16'].includes(logical?.type ?? '');

const isBytes = ({ element, children }: Node): boolean =>
  children.length === 0 && (element.type === 'BYTE_ARRAY' || element.type === 'FIXED_LEN_BYTE_ARRAY') && !isText(element);

const holdsBytes = (node: Node): boolean => isBytes(node) || node.children.some(holdsBytes);

function kindOf(node: Node): ByteColumn | undefined {
  const { name } = node.element;
  if (isBytes(node)) return { name, kind: 'bytes', hasPath: false };
  if (!holdsBytes(node)) return undefined;
  const isPicture =
    node.element.repetition_type !== 'REPEATED' &&
    node.children.every(child => child.children.length === 0 && child.element.repetition_type !== 'REPEATED') &&
    node.children.filter(isBytes).length === 1 &&
    node.children.some(child => isBytes(child) && child.element.name === 'bytes');
  return isPicture ? { name, kind: 'picture', hasPath: node.children.length > 1 } : { name, kind: 'list', hasPath: false };
}

/** The columns, those with bytes apart, and metadata in which a picture has all but its bytes and other columns with bytes are missing. */
export function splitSchema(metadata: FileMetaData): {
  readonly columns: readonly string[];
  readonly bytes: readonly ByteColumn[];
  readonly light: FileMetaData;
} {
  const root = tree(metadata.schema, { i: 0 });
  const bytes = root.children.map(kindOf).filter(column => column !== undefined);
  const gone = new Set(bytes.filter(column => !column.hasPath).map(column => column.name));
  const pictures = new Set(bytes.filter(column => column.hasPath).map(column => column.name));
  const schema: SchemaElement[] = [];
  const add = ({ element, children }: Node, keep: readonly Node[] = children): void => {
    schema.push(children.length > 0 ? { ...element, num_children: keep.length } : element);
    for (const child of keep) add(child);
  };
  const kept = root.children.filter(child => !gone.has(child.element.name));
  schema.push({ ...root.element, num_children: kept.length });
  for (const child of kept) add(child, pictures.has(child.element.name) ? child.children.filter(one => !isBytes(one)) : child.children);
  const row_groups = metadata.row_groups.map(group => ({
    ...group,
    columns: group.columns.filter(({ meta_data }) => {
      const [name, part] = meta_data?.path_in_schema ?? [];
      return !gone.has(name) && !(pictures.has(name) && part === 'bytes');
    }),
  }));
  return { columns: root.children.map(child => child.element.name), bytes, light: { ...metadata, schema, row_groups } };
}
