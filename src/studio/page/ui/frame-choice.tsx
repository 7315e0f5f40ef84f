/** @file Of a file of several frames: which one is shown, and the way to another. */
import { pictureId, readPictureId } from '../../picture-id.ts';
import type { ShownPicture } from '../state/picture-files.ts';

/** The sentence with its number. @param choose called with the id of another frame's picture */
export function FrameChoice({ picture, choose }: { readonly picture: ShownPicture | undefined; readonly choose: (id: string) => void }) {
  if (!picture?.frames) return null;
  const { shown, of } = picture.frames;
  return (
    <p class="note frame-choice">
      <label>
        {picture.name} holds {of} frames; shown is frame{' '}
        <input
          type="number"
          min={1}
          max={of}
          step={1}
          value={shown}
          onChange={event => {
            const wanted = Math.min(of, Math.max(1, Math.round(event.currentTarget.valueAsNumber)));
            if (Number.isNaN(wanted) || wanted === shown) event.currentTarget.value = String(shown);
            else choose(pictureId(readPictureId(picture.id).sha256, wanted));
          }}
        />
      </label>
    </p>
  );
}
