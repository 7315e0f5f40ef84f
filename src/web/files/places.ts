/** @file Every model that this page opened, by a name of its own: what the runtime reads weights from. */
import type { ReadExternal } from '../../runtime/web.ts';
import { NarrowsError } from '../../system/errors.ts';
import { fileIn, type ModelFiles } from '../../system/model-files.ts';

const places = new Map<string, WeakRef<ModelFiles>>();
const gone = new FinalizationRegistry<string>(id => void places.delete(id));
let count = 0;

/** The same files under a name that no other model of this page has, from which the runtime reads its weights. */
export function registerFiles(files: ModelFiles): ModelFiles {
  count += 1;
  const id = `${count}:${files.name}`;
  const registered: ModelFiles = {
    ...files,
    locate: async file => (file === undefined ? id : `${id}/${file}`),
  };
  places.set(id, new WeakRef(registered));
  gone.register(registered, id);
  return registered;
}

/** Bytes of a weight, by the name that `registerFiles` gave. */
export const readWeights: ReadExternal = async (path, offset, length) => {
  const at = path.lastIndexOf('/');
  const files = places.get(path.slice(0, at))?.deref();
  const name = path.slice(at + 1);
  if (!files) throw new NarrowsError(`The model that ${name} belongs to is closed; open it again.`);
  return files.read(name, offset, length).catch(error => {
    throw error instanceof NarrowsError
      ? error
      : new NarrowsError(`${fileIn(files, name)} cannot be read; load the model again.`, { cause: error });
  });
};
