/** @file Where a checkpoint's Jinja template runs: in this thread, or in a sandbox where the platform has one. */
import { compileJinja, type RenderJinja } from './jinja-engine.ts';

/** Parses a template. @throws Error where it is not Jinja, or as the sandbox says */
export type JinjaCompiler = (source: string) => RenderJinja;

// In a browser a template that hangs hangs its worker or tab, which the person can end.
let compiler: JinjaCompiler = compileJinja;

/** Sets where templates run; Node's ways of opening a model do (jinja-sandbox.ts). */
export function setJinjaCompiler(given: JinjaCompiler): void {
  compiler = given;
}

/** Parses a template where templates run; throws as `JinjaCompiler` says. */
export const runnableJinja: JinjaCompiler = source => compiler(source);
