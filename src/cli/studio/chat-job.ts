/** @file The studio's job `chat`: an answer as a stream, then what the bottleneck keeps of the picture and the question, where there is one. */
import { streamAnswer } from '../../generation/answer-stream.ts';
import { type ChatMessage, checkConversation, IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { posteriorWarning } from '../../studio/explained-answers.ts';
import { StudioError, type StudioEvent } from '../../studio/protocol.ts';
import { attributeRequest, type ChatRequest } from '../../studio/requests.ts';
import { attributeJob, type Shelves } from './attribute-job.ts';

/** Tokens of an answer where nothing says more. */
const USUAL = 128;

/** Turns with the pictures in front of the first question. @throws StudioError or NarrowsError for what is no conversation */
function messagesOf({ turns, pictures }: ChatRequest): ChatMessage[] {
  if (turns.some(turn => turn.content.includes(IMAGE_MARK)))
    throw new StudioError('usage', 'A question must not hold <image>; pictures are put in front of it as they are given.');
  if (turns.at(-1)?.role !== 'user') throw new StudioError('usage', 'The last turn must be a question.');
  const marks = pictures.map(() => `${IMAGE_MARK}\n`).join('');
  const messages = turns.map((turn, i) => ({ ...turn, content: i === 0 ? marks + turn.content : turn.content }));
  checkConversation({ images: pictures, messages }, 'The conversation', { answer: false });
  return messages;
}

/** Does the job. @throws StudioError for a model that does not answer, NarrowsError for a conversation that does not fit, the signal's reason */
export async function chatJob(
  shelves: Shelves,
  request: ChatRequest,
  say: (event: StudioEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { chat, info } = await shelves.models.use(request.model, say, signal);
  if (!chat) throw new StudioError('usage', `${info.name} compares images with texts and writes none; open a LLaVA to ask questions.`);
  const messages = messagesOf(request);
  const pictures = [];
  for (const id of request.pictures) pictures.push(await shelves.pictures.get(id));
  say({ kind: 'progress', phase: 'Reading the question', done: 0, total: 0 });
  const prompt = chat.prompt(messages, chat.pixels(pictures.map(({ image }) => image)));
  const began = performance.now();
  const pieces = streamAnswer(
    chat.model,
    prompt,
    chat.options({
      temperature: request.temperature,
      maxNewTokens: request.maxNewTokens ?? chat.defaults.maxNewTokens ?? USUAL,
      seed: request.seed,
      signal,
    }),
  );
  let step = await pieces.next();
  for (; !step.done; step = await pieces.next()) if (step.value !== '') say({ kind: 'words', text: step.value });
  const { text, finish, tokens } = step.value;
  say({ kind: 'answer', text, finish, tokens, promptTokens: prompt.ids.length, seconds: (performance.now() - began) / 1000 });
  if (request.posterior && info.bottleneck) await posteriorOf(shelves, request, say, signal);
}

/** The posterior's map of the last question, asked by itself: the method reads one picture and one question. */
async function posteriorOf(
  shelves: Shelves,
  { model, pictures, turns }: ChatRequest,
  say: (event: StudioEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const [picture] = pictures;
  if (picture === undefined) return;
  const about = posteriorWarning({ turns, pictures });
  if (about !== undefined) say({ kind: 'warning', method: 'posterior', message: about });
  const text = turns[turns.length - 1].content;
  if (text.trim() === '') return;
  await attributeJob(shelves, attributeRequest.parse({ model, picture, text, methods: [{ name: 'posterior' }] }), say, signal);
}
