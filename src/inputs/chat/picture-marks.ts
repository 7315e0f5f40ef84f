/** @file Tokens that a model was trained to see around a picture, where the chat template writes them and not the picture's own text (Qwen2-VL). */
import { IMAGE_MARK } from './messages.ts';
import { type ChatTemplate, joinSpans } from './template.ts';

/**
 * Says that a template leaves them out; undefined where it writes them, or can render no question (which then says so itself).
 * @param around what stands in front of a picture and behind it @param title the family of models that was trained so
 */
export function missingMarks(template: ChatTemplate, around: readonly [string, string], title: string): string | undefined {
  let text: string;
  try {
    text = joinSpans(template.render([{ role: 'user', content: `${IMAGE_MARK}\nQUESTION` }]));
  } catch {
    return undefined;
  }
  const [front, behind] = around;
  const at = text.indexOf(IMAGE_MARK);
  if (
    at < 0 ||
    (text.slice(0, at).trimEnd().endsWith(front) &&
      text
        .slice(at + IMAGE_MARK.length)
        .trimStart()
        .startsWith(behind))
  )
    return undefined;
  return `The chat template ${template.name} writes pictures without ${front} and ${behind} around them, with which a ${title} was trained, so that answers may be worse and maps others; take the checkpoint's own template (chat_template.jinja, chosen where --template is not given).`;
}
