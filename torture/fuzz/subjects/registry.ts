/** @file All subjects. A new kind of input is a file here and a line in this list. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { TINY_TEMPLATE } from '../../../src/generation/testing/tiny-chat.ts';
import type { World } from '../../shared/world.ts';
import type { Subject } from '../subject.ts';
import { callSubjects } from './calls.ts';
import { modelSubjects } from './models.ts';
import { pictureSubjects } from './pictures.ts';
import { resumeSubjects } from './resume.ts';
import { tableSubjects } from './tables.ts';

/** Makes what the subjects need and lists them. @param resume with folders of finished runs */
export async function allSubjects(world: World, resume: boolean): Promise<Subject[]> {
  cpSync(world.at('llava'), world.at('templated'), { recursive: true });
  writeFileSync(world.at('templated', 'chat_template.jinja'), TINY_TEMPLATE);
  mkdirSync(world.at('asked'), { recursive: true });
  cpSync(world.at('questions.jsonl'), world.at('asked', 'questions.jsonl'));
  return [
    ...modelSubjects(world),
    ...pictureSubjects(world),
    ...tableSubjects(world),
    ...(await callSubjects(world)),
    ...(resume ? await resumeSubjects(world) : []),
  ];
}
