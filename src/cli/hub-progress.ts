/** @file Hub options of a command: Ctrl-C stops a download, its progress shows bytes and time left. */
import type { DownloadProgress, ResolveOptions } from '../checkpoints/hub/hub.ts';
import type { Progress } from '../node/progress.ts';
import type { Context } from './command.ts';

/** Options for `resolveModel` and `fromPretrained`. The bar appears with the first byte and stays as one line at the end. */
export function hubOptions(context: Context): Pick<ResolveOptions, 'signal' | 'onProgress' | 'onWarning'> {
  let bar: Progress | undefined;
  let total = -1;
  return {
    signal: context.signal,
    onWarning: message => context.log.warn(message, message),
    onProgress({ file, loadedAll, totalAll }: DownloadProgress) {
      // Shards are known only once their index is there: the total may grow.
      if (!bar || totalAll !== total) {
        context.status();
        bar = context.progress({ label: 'Downloading', total: totalAll, unit: 'bytes', start: loadedAll });
        total = totalAll;
      }
      bar.update(loadedAll, file);
      if (loadedAll >= totalAll) bar.done();
    },
  };
}
