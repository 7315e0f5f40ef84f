/**
 * @file The public API of `narrows`: see what an image–text model relies on (`CLIPModel`, `M2IB`), the pictures of it, the inputs, the
 * built-in scenes, and the differentiable engine underneath (`graph`).
 */

// Attribution
export { type AttributeRun, Attributor } from './attribution/attributor.ts';
export { FAMILIES, type Family, type MethodEntry } from './attribution/method.ts';
export { M2IB, type M2IBOptions, m2ibSchema } from './attribution/methods/m2ib.ts';
export type { Pair } from './attribution/pair.ts';
export { createMethod, findMethod, methods } from './attribution/registry.ts';
export type {
  Attribution,
  Convergence,
  ImageAttribution,
  Stability,
  TextAttribution,
  TokenScore,
  WordScore,
} from './attribution/result.ts';
export type { TargetSpec } from './attribution/target.ts';
export { type CachedModel, listCached } from './checkpoints/hub/cache.ts';
export { type DownloadProgress, type ResolvedModel, type ResolveOptions, resolveModel } from './checkpoints/hub/hub.ts';
export { openSafetensors, readFloats, readTensor, type SafetensorsFile, type TensorEntry } from './checkpoints/safetensors.ts';
export { type NamedTensors, writeSafetensors } from './checkpoints/write.ts';
// Answers of a LLaVA
export { type AnswerRow, AnswersFile } from './generation/answers-file.ts';
export { answerQuestions, type BulkOptions, type BulkResult } from './generation/bulk.ts';
export { ChatModel, type ChatOptions, type ImageAspect } from './generation/chat-model.ts';
export { type Answer, ChatSession } from './generation/chat-session.ts';
export {
  type FinishReason,
  type GeneratedToken,
  type Generation,
  type GenerationOptions,
  generate,
  streamTokens,
} from './generation/generate.ts';
export type { GenerativeModel, Prompt } from './generation/model.ts';
export { type AnsweringModel, openLlava } from './generation/open-llava.ts';
export { type BulkQuestion, readQuestions } from './generation/questions.ts';
export type { SamplingOptions } from './generation/sampling.ts';
// The engine: `graph.linear`, `graph.grad`, `graph.compile` and all other ops
export * as graph from './graph/index.ts';
// Inputs
export type { ChatMessage } from './inputs/chat/messages.ts';
export { ImageFolder } from './inputs/chat/read-conversations.ts';
export { type DecodedImage, decodeImage } from './inputs/image/decode.ts';
export type { ImageReading, ImageReadOptions, ImageWindow } from './inputs/image/image-reading.ts';
export { ImageProcessor, type ProcessedImage } from './inputs/image/processor.ts';
export { resizeImage } from './inputs/image/resize.ts';
export type { Rectangle, RgbImage } from './inputs/image/rgb-image.ts';
export { type Token, type TokenizedBatch, type TokenizedText, Tokenizer } from './inputs/text/tokenizer.ts';
// Models and checkpoints
export { bundledModels, DEFAULT_CHAT_MODEL, DEFAULT_MODEL } from './models/bundled.ts';
export type { CLIPConfig } from './models/clip/config.ts';
export { CLIPModel } from './models/clip/model.ts';
export type { DualEncoder, Modality, Tower, TowerInputs } from './models/dual-encoder.ts';
export type { ForwardOutput as CLIPOutput } from './models/dual-encoder-model.ts';
export type { LlavaConfig } from './models/llava/config.ts';
export type { LlavaPrompt } from './models/llava/decoding.ts';
export type { LlavaOptions } from './models/llava/load.ts';
export { type LlavaInputs, LlavaModel, type LlavaResult } from './models/llava/model.ts';
export { LlavaMiniModel } from './models/llava-mini/model.ts';
export { loadModel, MODEL_TYPES, type ModelKind, modelKind } from './models/load.ts';
export type { LoadOptions } from './models/load-parts.ts';
export type { SiglipConfig } from './models/siglip/config.ts';
export { SiglipModel } from './models/siglip/model.ts';
export { createLogger } from './node/logger.ts';
// Pictures of an attribution
export { figureSvg } from './report/attribution/figure.ts';
export type { FigureOptions } from './report/attribution/figure-options.ts';
export { type ReportItem, type ReportOptions, reportHtml } from './report/attribution/html.ts';
export { type IndexRow, indexHtml, indexRow } from './report/attribution/html-index.ts';
export { attributionFromJson, attributionTensors, attributionToJson } from './report/attribution/json.ts';
export { figurePng, overlayPng } from './report/attribution/raster.ts';
export { type TerminalOptions, terminalSummary, terminalThumbnail, terminalWords } from './report/attribution/terminal.ts';
export { nodeRuntime } from './runtime/node.ts';
export type { CompileOptions, Executable, Feeds, RunOptions, Runtime } from './runtime/runtime.ts';
export { type WorkerOptions, workerRuntime } from './runtime/worker.ts';
// The built-in world
export { type CaptionOptions, caption } from './scenes/captions.ts';
export { CONCEPTS, type Concept } from './scenes/concepts.ts';
export { type DatasetOptions, type SceneRecord, writeScenes } from './scenes/dataset.ts';
export { type Question, questions } from './scenes/questions.ts';
export { drawScene, type Scene, type SceneObject, type SceneOptions } from './scenes/scene.ts';
export { type SceneWorld, STYLES, TEST_STYLES, TRAIN_STYLES } from './scenes/sprite-atlas.ts';
export { loadSprites, type SpriteOptions } from './scenes/sprites.ts';
// What may go wrong, and where messages go
export { NarrowsError } from './system/errors.ts';
export type { Logger } from './system/log.ts';
export { version } from './system/version.ts';
export type { DType, TypedArray } from './tensor/dtype.ts';
export { RandomStream } from './tensor/random.ts';
export { type FloatTensor, floats, ints, type Tensor, tensor } from './tensor/tensor.ts';
// Training
export { type ClipTrainingArguments, clipTrainingSchema } from './tuning/clip/arguments.ts';
export { type TrainClipOptions, type TrainClipResult, trainClip } from './tuning/clip/train.ts';
export { type LlavaArguments, projectorTrainingSchema, tuneTrainingSchema } from './tuning/llava/arguments.ts';
export { PRESETS, type Preset, withPreset } from './tuning/llava/presets.ts';
export { type TrainLlavaOptions, trainLlava } from './tuning/llava/train.ts';
export type { RunResult } from './tuning/run.ts';
export { type VerifyOptions, type VerifyReport, verifyReference } from './verify/verify.ts';
