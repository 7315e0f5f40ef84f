/** @file `narrows verify` for a LLaVA: which checkers a reference file asks for. */
import { ReferenceFile } from '../reference.ts';
import { type VerifyOptions, type VerifyReport, verifyWith } from '../verify.ts';
import { llavaForwardChecker } from './forward.ts';
import { llavaGenerationChecker } from './generation.ts';
import { llavaGradientsChecker } from './gradients.ts';
import type { LlavaSubject } from './subject.ts';
import { isVittle, vittleCheckerFor } from './vittle.ts';

/** As `verifyReference`: forward values, gradients and generation, or a recorded step of Vittle. Throws as it does. */
export async function verifyLlava(options: VerifyOptions<LlavaSubject>): Promise<VerifyReport> {
  const reference = await ReferenceFile.open(options.referencePath);
  const checkers = isVittle(reference.names)
    ? [await vittleCheckerFor(reference)]
    : [llavaForwardChecker, llavaGradientsChecker, llavaGenerationChecker];
  return verifyWith({ ...options, checkers });
}
