/**
 * A stand-in for a judge, to try `narrows judge` without a model: a server on this machine that speaks OpenAI's chat interface and marks two
 * answers by counting words. It knows nothing and judges nothing; the same answers always get the same marks.
 *
 *   node examples/stand-in-judge.mjs [port]     prints its address
 */
import { createServer } from 'node:http';

const SMALL = new Set('a an and the is are in on of with it to there this that which what picture photo'.split(' '));
const words = text => (text.toLowerCase().match(/[a-z]+/g) ?? []).filter(word => !SMALL.has(word));
const block = (prompt, from, to) => (prompt.split(from)[1] ?? '').split(to)[0];

/** From 1 to 10: which share of an answer's words stand in the context, and whether it says anything. */
function mark(answer, context) {
  const said = words(answer);
  const known = new Set(words(context));
  return 1 + Math.round((9 * said.filter(word => known.has(word)).length) / Math.max(1, said.length));
}

function review(prompt) {
  const context = block(prompt, '[Context]\n', '\n\n[Question]');
  const marks = [1, 2].map(n => mark(block(prompt, `[Assistant ${n}]\n`, `\n\n[End of Assistant ${n}]`), context));
  return `${marks.join(' ')}\nWords of the context were counted; nobody judged.`;
}

const server = createServer(async (request, response) => {
  let text = '';
  for await (const part of request) text += part;
  const { model, messages } = JSON.parse(text);
  const asked = messages.at(-1).content;
  // With pictures the content is a list of parts.
  const content = review(typeof asked === 'string' ? asked : asked.map(part => part.text ?? '').join('\n'));
  const usage = { prompt_tokens: words(text).length, completion_tokens: words(content).length };
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ object: 'chat.completion', model, choices, usage }));
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}/v1\n`));
