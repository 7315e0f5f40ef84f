/** @file Pictures of every kind that is read, from the tests' own sets, and DICOM files. */
import { copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inRepository, type World } from '../../shared/world.ts';
import { byteStep, bytes, CUT } from '../forms/bytes.ts';
import type { Subject } from '../subject.ts';

/** Larger seeds would cost time and find nothing more. */
const LARGEST = 20_000;

/** Pictures of a folder of the repository. */
function seeds(folder: string): string[] {
  return readdirSync(inRepository(folder))
    .filter(name => /\.(png|jpe?g|gif|webp|avif|tiff?|bmp|p[bgpn]m|dcm)$/.test(name) && !/pillow|refused|cut|truncated/.test(name))
    .map(name => inRepository(folder, name))
    .filter(path => statSync(path).size <= LARGEST);
}

/** One subject per seed picture. */
export function pictureSubjects(world: World): Subject[] {
  const pictures = ['kinds', 'formats'].flatMap(name => seeds(`src/inputs/image/testdata/${name}`));
  const films = ['', '/pydicom'].flatMap(name => seeds(`src/inputs/image/dicom/testdata${name}`));
  const subject = (path: string, kind: string, others: readonly string[]): Subject => {
    const name = path.split('/').at(-1)!;
    const folder = world.at('pictures', `${kind}-${name}`);
    mkdirSync(folder, { recursive: true });
    copyFileSync(path, join(folder, name));
    return {
      ...{ kind, name, folder, file: name, form: bytes, others },
      args: copy => ['attribute', join(copy, name), 'a cat', '--model', world.at('clip'), '--method', 'random', '--json', '--quiet'],
      // Formats that know their length: what is missing of one of them must be said.
      mustBeSaid: steps => /\.(png|webp|avif|bmp|dcm|p[gpb]m)$/.test(name) && steps.every(step => byteStep(step) === CUT),
    };
  };
  const like = (path: string, all: readonly string[]): string[] => all.filter(one => one !== path && one.slice(-4) === path.slice(-4));
  return [
    ...pictures.map(path => subject(path, 'pictures', like(path, pictures))),
    ...films.map(path => subject(path, 'dicom', films.filter(one => one !== path).slice(0, 8))),
  ];
}
