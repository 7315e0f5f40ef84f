/** @file Chat templates by a directory or a name: Node's way into checkpoint-template.ts. */
import { existsSync, statSync } from '../../node/disk.ts';
import { diskFiles } from '../../node/disk-files.ts';
import { type FindOptions, findTemplateFrom } from './checkpoint-template.ts';
import type { ChatTemplate } from './template.ts';
import { sandboxTemplates } from './templates/jinja-sandbox.ts';
import { namedTemplate } from './templates/registry.ts';

sandboxTemplates();

/**
 * The chat template for a checkpoint's directory, or of a name.
 * @param directoryOrName a directory with a tokenizer, or the name of a built-in template
 * @throws NarrowsError as `findTemplateFrom`, or for a name that does not exist
 */
export async function findTemplate(directoryOrName: string, options: FindOptions = {}): Promise<ChatTemplate> {
  if (existsSync(directoryOrName) && statSync(directoryOrName).isDirectory()) return findTemplateFrom(diskFiles(directoryOrName), options);
  return namedTemplate(options.name ?? directoryOrName);
}
