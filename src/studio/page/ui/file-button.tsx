/** @file A button that opens the browser's choice of files. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';

/** What a choice of a picture offers: browsers know DICOM and PNM by no kind of their own. */
export const PICTURE_FILES = 'image/*,.dcm,.dicom,application/dicom,.pnm,.pgm,.ppm,.pbm';

/** What it takes. */
export interface FileButtonProps {
  /** As the attribute of `<input>`. */
  readonly accept?: string;
  readonly multiple?: boolean;
  /** A whole folder. */
  readonly folder?: boolean;
  readonly onFiles: (files: File[]) => void;
  readonly children: ComponentChildren;
}

/** The button. */
export function FileButton({ accept, multiple, folder, onFiles, children }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        ref={node => {
          input.current = node;
          if (node && folder) node.setAttribute('webkitdirectory', '');
        }}
        type="file"
        class="unseen"
        tabIndex={-1}
        aria-hidden="true"
        accept={accept}
        multiple={multiple}
        onChange={event => {
          const files = [...(event.currentTarget.files ?? [])];
          // The same file may be chosen again.
          event.currentTarget.value = '';
          if (files.length > 0) onFiles(files);
        }}
      />
    </>
  );
}
