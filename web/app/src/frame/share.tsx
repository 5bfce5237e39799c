// share.tsx - the dialog of links and files.
import { useEffect, useRef, useState } from 'preact/hooks';
import { linkToHere, notify, openTrace, savePng, saveSvg, saveTrace, showDialog, TRACE_ENDING } from '../actions';
import { MOST_HASH } from '../permalink';
import { useApp } from '../state';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';

function LinkField() {
  const [link, setLink] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => void linkToHere().then(setLink), []);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(link);
      notify({ tone: 'good', text: 'The link is copied.' });
    } catch {
      field.current?.select();
      notify({ tone: 'info', text: 'Press Ctrl+C to copy the link.' });
    }
  };
  const tooLong = link.length > MOST_HASH;
  return (
    <section>
      <h3>Link</h3>
      <p class="quiet">Holds the model's text, the step and the view. Nothing is sent anywhere until you share it.</p>
      <div class="link-field">
        <input ref={field} type="text" readOnly value={link} aria-label="Link" onFocus={(e) => e.currentTarget.select()} data-testid="link" />
        <Button label="Copy the link" icon="share" tone="primary" disabled={!link || tooLong} onClick={() => void copy()} testid="copy-link">Copy</Button>
      </div>
      {tooLong && <p class="quiet">This model is too long for a link. Save its trace instead.</p>}
    </section>
  );
}

export function ShareDialog() {
  const file = useRef<HTMLInputElement>(null);
  const frames = useApp((s) => s.frames.length);
  const close = (): void => showDialog(null);
  return (
    <Dialog title="Share and save" onClose={close} testid="share-dialog">
      <LinkField />
      <section>
        <h3>Trace file</h3>
        <p class="quiet">The recorded steps with their statistics, as the command <code>ebb trace</code> writes them too.</p>
        <div class="group">
          <Button label="Save the recorded steps" icon="save" tone="plain" disabled={!frames} onClick={() => void saveTrace()} testid="save-trace">{frames > 1 ? `Save ${frames} steps` : 'Save the step'}</Button>
          <Button label="Open a trace file" icon="open" tone="plain" onClick={() => file.current?.click()} testid="open-trace">Open a file</Button>
          <input ref={file} type="file" accept={TRACE_ENDING} hidden data-testid="trace-file"
            onChange={(e) => { const chosen = e.currentTarget.files?.[0]; if (chosen) { close(); void openTrace(chosen); } }} />
        </div>
      </section>
      <section>
        <h3>Picture of the graph</h3>
        <div class="group">
          <Button label="Save as SVG" icon="image" tone="plain" disabled={!frames} onClick={() => void saveSvg()} testid="save-svg">SVG</Button>
          <Button label="Save as PNG" icon="image" tone="plain" disabled={!frames} onClick={() => void savePng()} testid="save-png">PNG</Button>
        </div>
      </section>
    </Dialog>
  );
}
