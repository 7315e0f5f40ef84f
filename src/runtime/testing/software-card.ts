/** @file A graphics card of software, for tests of WebGPU in Node: Chromium brings one, and the library that finds it. */
import { existsSync } from 'node:fs';

const CHROMIUM = '/usr/lib/chromium';

/** Why there is none here, or undefined. */
export const withoutCard =
  process.platform === 'linux' && process.arch === 'x64' && existsSync(`${CHROMIUM}/vk_swiftshader_icd.json`)
    ? undefined
    : "no software card here (Debian's chromium brings one)";

/** Variables with which a process finds it at its start. */
export const SOFTWARE_CARD = {
  NARROWS_DEVICE: 'webgpu',
  VK_ICD_FILENAMES: `${CHROMIUM}/vk_swiftshader_icd.json`,
  LD_LIBRARY_PATH: CHROMIUM,
};
