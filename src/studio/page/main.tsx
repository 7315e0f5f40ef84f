/** @file The page that `narrows studio` serves: its backend is the server that it came from. */
import { launch } from './launch.tsx';
import { connectHere } from './state/connect.ts';

launch(connectHere);
