/**
 * @file The public API of `narrows`: models and their inputs, attribution methods and their results, answers of a LLaVA, verification.
 * Other entries: `narrows/graph` (the engine), `narrows/evaluation` (metrics, comparison), `narrows/report` (pictures, pages), `narrows/shifts`,
 * `narrows/training`, `narrows/scenes`.
 */

export { AnswerAttributor, type AnswerRun } from './attribution/answers/answer-attributor.ts';
export { type AttributeRun, Attributor } from './attribution/attributor.ts';
export { defineMethod, type MethodDefinition } from './attribution/define-method.ts';
export type { AttributeFrame } from './attribution/frames.ts';
export type { AnswerForm } from './attribution/method.ts';
export { FAMILIES, type Family, type MethodEntry } from './attribution/method.ts';
export { M2IB, type M2IBOptions, m2ibSchema } from './attribution/methods/m2ib.ts';
export type { Pair } from './attribution/pair.ts';
export { attributePhrases, type PhraseAttribution } from './attribution/phrases.ts';
export { explainQuestion, type QuestionMaps, type QuestionMethodEntry, type QuestionRun } from './attribution/question.ts';
export {
  answerMethods,
  createAnswerMethod,
  createMethod,
  findMethod,
  type MethodName,
  type MethodOptions,
  methods,
  registerMethod,
} from './attribution/registry.ts';
export type {
  AnswerAttribution,
  AnswerPartMap,
  AnswerRecord,
  AnswerTokenScore,
  Attribution,
  Convergence,
  ImageAttribution,
  KeptNats,
  Stability,
  TextAttribution,
  TokenScore,
  WordScore,
} from './attribution/result.ts';
export { explainSubject, type PairSubject, type QuestionSubject, type RegisteredMethod, type Subject } from './attribution/subject.ts';
export type { TargetSpec } from './attribution/target.ts';
export { openSafetensors } from './checkpoints/disk.ts';
export { type CachedModel, listCached } from './checkpoints/hub/cache.ts';
export { type DownloadProgress, type ResolvedModel, type ResolveOptions, resolveModel } from './checkpoints/hub/hub.ts';
export { readFloats, readTensor, type SafetensorsFile, type TensorEntry } from './checkpoints/safetensors.ts';
export { type NamedTensors, writeSafetensors } from './checkpoints/write.ts';
export { loadExtensions } from './evaluation/extensions.ts';
export { type AnswerRow, AnswersFile } from './generation/answers-file.ts';
export { answerQuestions, type BulkOptions, type BulkResult } from './generation/bulk.ts';
export type { ImageAspect } from './generation/chat-model.ts';
export { type Answer, ChatSession } from './generation/chat-session.ts';
export { type AnswerThroughOptions, answerThroughEndpoint } from './generation/endpoint/answer.ts';
export { Endpoint, type EndpointCost, type EndpointOptions } from './generation/endpoint/client.ts';
export { EndpointError, type FailureKind } from './generation/endpoint/failure.ts';
export type { EndpointAnswer, Usage } from './generation/endpoint/reply.ts';
export type { EndpointMessage, EndpointSettings } from './generation/endpoint/request.ts';
export {
  type FinishReason,
  type GeneratedToken,
  type Generation,
  type GenerationOptions,
  generate,
  streamTokens,
} from './generation/generate.ts';
export type { GenerativeModel, Prompt } from './generation/model.ts';
export { openLlava } from './generation/open-llava.ts';
export type { AnsweringModel } from './generation/open-llava-files.ts';
export { ChatModel, type ChatOptions } from './generation/pretrained.ts';
export { type BulkQuestion, readQuestions } from './generation/questions.ts';
export type { SamplingOptions } from './generation/sampling.ts';
export type { ChatMessage } from './inputs/chat/messages.ts';
export { ImageFolder } from './inputs/chat/read-conversations.ts';
export { type DecodedImage, decodeImage } from './inputs/image/decode.ts';
export type { ImageReading, ImageReadOptions, ImageWindow } from './inputs/image/image-reading.ts';
export { ImageProcessor, type ProcessedImage, stackImages } from './inputs/image/processor.ts';
export { resizeImage } from './inputs/image/resize.ts';
export type { Rectangle, RgbImage } from './inputs/image/rgb-image.ts';
export { Tokenizer } from './inputs/text/disk.ts';
export { type Phrase, phrasesByCommas, phrasesByText } from './inputs/text/phrases.ts';
export type { Token, TokenizedBatch, TokenizedText } from './inputs/text/tokenizer.ts';
export type { AnswerModel, AnswerPicture, AnswerRow as PlacedRow, DeclaredRow, DecodedRow, RowDecoding } from './models/answer-model.ts';
export { bundledModels, DEFAULT_CHAT_MODEL, DEFAULT_MODEL } from './models/bundled.ts';
export type { CLIPConfig } from './models/clip/config.ts';
export type { DualEncoder, Modality, Tower, TowerInputs } from './models/dual-encoder.ts';
export type { ForwardOutput as CLIPOutput } from './models/dual-encoder-model.ts';
export { joinTowers, type TowerPair } from './models/join-towers.ts';
export type { LlavaConfig } from './models/llava/config.ts';
export type { LlavaPrompt } from './models/llava/decoding.ts';
export type { LlavaInputs, LlavaResult } from './models/llava/model.ts';
export { MODEL_TYPES, type ModelKind, modelKind } from './models/load.ts';
export type { LlavaOptions, LoadOptions } from './models/pretrained.ts';
export { CLIPModel, LlavaMiniModel, LlavaModel, loadModel, SiglipModel } from './models/pretrained.ts';
export { savePretrained } from './models/save-pretrained.ts';
export type { SiglipConfig } from './models/siglip/config.ts';
export { diskFiles } from './node/disk-files.ts';
export { createLogger } from './node/logger.ts';
export { attributionFromJson, attributionToJson } from './report/attribution/json.ts';
export { nodeRuntime } from './runtime/node.ts';
export type { CompileOptions, Executable, Feeds, RunOptions, Runtime } from './runtime/runtime.ts';
export { type WorkerOptions, workerRuntime } from './runtime/worker.ts';
export { NarrowsError } from './system/errors.ts';
export type { Logger } from './system/log.ts';
export type { ModelFiles } from './system/model-files.ts';
export { version } from './system/version.ts';
export type { DType, TypedArray } from './tensor/dtype.ts';
export { RandomStream } from './tensor/random.ts';
export { type FloatTensor, floats, ints, type Tensor, tensor } from './tensor/tensor.ts';
export { type VerifyOptions, type VerifyReport, verifyReference } from './verify/verify.ts';
