/** @file `narrows/scenes`: the built-in world of emoji scenes, whose captions, boxes, masks, questions and answers are known. */
export type { RgbImage } from '../inputs/image/rgb-image.ts';
export { type CaptionOptions, caption } from '../scenes/captions.ts';
export { type Chest, type ChestFinding, type ChestOptions, drawChest } from '../scenes/chest/chest.ts';
export type { ChestRecord } from '../scenes/chest/record.ts';
export { type WriteChestsOptions, writeChests } from '../scenes/chest/write-chests.ts';
export { CONCEPTS, type Concept } from '../scenes/concepts.ts';
export { type DatasetOptions, type SceneRecord, writeScenes } from '../scenes/dataset.ts';
export { type Instruction, instructions, TASKS, type Task } from '../scenes/instructions.ts';
export { type Question, questions } from '../scenes/questions.ts';
export { decodeRle, encodeRle, type Rle } from '../scenes/rle.ts';
export { drawScene, type Scene, type SceneObject, type SceneOptions } from '../scenes/scene.ts';
export { type SceneWorld, STYLES, type Style, TEST_STYLES, TRAIN_STYLES } from '../scenes/sprite-atlas.ts';
export { loadSprites, type SpriteOptions } from '../scenes/sprites.ts';
export { type RandomReader, RandomStream } from '../tensor/random.ts';
