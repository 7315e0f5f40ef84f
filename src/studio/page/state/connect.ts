/** @file The backend of the page that `narrows studio` serves. */
import { httpBackend } from '../../http-backend.ts';
import { type StudioBackend, StudioError } from '../../protocol.ts';
import { token } from './token.ts';

/** The server that the page came from. @throws StudioError where it cannot be reached */
export async function connectHere(): Promise<StudioBackend> {
  const given = await token();
  if (given === undefined)
    throw new StudioError(
      'offline',
      'This page has no token of a running studio. Open the address that `narrows studio` printed, with its #token; each start has its own.',
    );
  return httpBackend({ token: given });
}
