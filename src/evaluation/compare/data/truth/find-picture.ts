/** @file The file of a picture that a set names by a path, or by an id without ending. */
import { access, readdir } from '../../../../node/disk.ts';
import { basename, dirname, isAbsolute, join } from '../../../../node/paths.ts';
import { NarrowsError } from '../../../../system/errors.ts';

/** Endings that are tried for an id, and folders below the given one. */
const ENDINGS = ['', '.dcm', '.dicom', '.png', '.jpg', '.jpeg'];
const FOLDERS = ['', 'images', 'dicom'];

/** Where a picture may lie: as named, with endings, and CheXpert's `patient1/study1/view1_frontal.jpg` of CheXlocalize's ids. */
function places(name: string): string[] {
  const parts = /^(patient\d+)_(study\d+)_(view\d+_\w+)$/.exec(name);
  const bases = [
    name,
    ...(parts ? [`${parts[1]}/${parts[2]}/${parts[3]}`] : []),
    name.replace(/^.*\//, ''),
    name.replace(/^.*\//, '').replace(/\.\w+$/, ''),
  ];
  return [
    ...new Set(
      FOLDERS.flatMap(folder => bases.flatMap(base => ENDINGS.map(ending => (folder ? `${folder}/${base}${ending}` : `${base}${ending}`)))),
    ),
  ];
}

/** Finds pictures in a folder. */
export class PictureFinder {
  private folders = new Map<string, Promise<Set<string>>>();

  constructor(private readonly folder: string) {}

  private names(folder: string): Promise<Set<string>> {
    const known = this.folders.get(folder);
    if (known) return known;
    const list = readdir(folder).then(
      names => new Set(names),
      () => new Set<string>(),
    );
    this.folders.set(folder, list);
    return list;
  }

  /** The path of a picture. @throws NarrowsError that begins with `where` */
  async find(name: string, where: string): Promise<string> {
    if (isAbsolute(name)) {
      await access(name).catch(() => {
        throw new NarrowsError(`${where}: the picture ${name} does not exist.`);
      });
      return name;
    }
    for (const place of places(name)) {
      const path = join(this.folder, place);
      const file = basename(path);
      if (/\.\w+$/.test(file) && (await this.names(dirname(path))).has(file)) return path;
    }
    throw new NarrowsError(
      `${where}: there is no picture ${name} in ${this.folder} (with .dcm, .png or .jpg); --images names another folder.`,
    );
  }
}
