/** @file Who translates questions, and what is said to a model that does. */

/**
 * Translates a text from English. @param language its English name, such as `Greek` @param id the question's, for translators that go by it
 */
export type Translator = (text: string, language: string, id?: string) => Promise<string>;

/** What Vittle's authors say to a model that translates (README of Vittle); the sentence itself is the user's message. */
export const translationPrompt = (language: string): string =>
  `You are a helpful translator who translates individual sentences provided by the user. Please translate the English sentence provided by the user into ${language}`;

/** What the questions of EMI's data end with, so that answers can be compared. */
export const ANSWER_IN_ENGLISH = ' Please answer in English.';

/** A translator from a model that chats. @param ask a reply to a system and a user message */
export const chatTranslator =
  (ask: (system: string, user: string) => Promise<string>): Translator =>
  async (text, language) =>
    (await ask(translationPrompt(language), text)).trim();

/** The languages of EMI's data. */
export const EMI_LANGUAGES = ['German', 'Chinese', 'Korean', 'Greek', 'Arabic', 'Hindi'] as const;
