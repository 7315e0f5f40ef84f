/** @file `plain`: the image and its caption only, for training the projector (stage 1). */
import { NarrowsError } from '../../../system/errors.ts';
import { countMarks, IMAGE_MARK } from '../messages.ts';
import { answer, type ChatTemplate, prompt, type Span } from '../template.ts';

/**
 * `<image>caption\n`: the user's words are left out, everything behind the image is supervised, no end token follows.
 * Source: LLaVA `preprocess_plain` (`conv_llava_plain`, sep "\n").
 */
export const plain = (): ChatTemplate => ({
  name: 'plain',
  // LLaVA's evaluation stops at the separator of `conv_llava_plain`: a caption is one line.
  stop: '\n',
  render(messages, { generationPrompt = false } = {}) {
    const turns = messages.filter(message => message.role !== 'system');
    const [user, assistant] = turns;
    if (turns.length > 2 || user?.role !== 'user' || (assistant ? assistant.role !== 'assistant' : !generationPrompt))
      throw new NarrowsError(
        `The template "plain" takes one question and one answer (an image and its caption), not ${turns.length} turns; choose another with --template.`,
      );
    const spans: Span[] = [prompt('user', IMAGE_MARK.repeat(countMarks(user.content)))];
    if (assistant) spans.push(answer(`${assistant.content}\n`));
    return spans.filter(span => span.text !== '');
  },
});
