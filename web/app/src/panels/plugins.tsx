// plugins.tsx - panel: a plugin is dropped, inspected, verified, and then used in the model; or refused, with the reason.
import { useRef, useState } from 'preact/hooks';
import type { Certificate, CheckLine } from '@engine/protocol';
import { failureOf, notify, pause, play, showPanel } from '../actions';
import { getEngine } from '../engine';
import { app } from '../state';
import { createStore, useStore } from '../store';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import { draft, withOp } from '../lib/draft';
import { formatBytes, formatCount, formatNumber } from '../lib/format';
import './plugins.css';

/** Larger files are not read: a plugin is some kilobytes. */
const MOST_BYTES = 16 << 20;

interface Tried { id: number; name: string; certificate: Certificate | null; refused: string }
interface Plugins { tried: Tried[]; busy: string }
/** Kept while the panel is closed. */
const plugins = createStore<Plugins>({ tried: [], busy: '' });
let nextId = 1;

function finish(name: string, certificate: Certificate | null, refused: string): void {
  plugins.set({ busy: '', tried: [{ id: nextId++, name, certificate, refused }, ...plugins.get().tried] });
}

async function tryFile(file: File): Promise<void> {
  if (plugins.get().busy) return;
  if (file.size > MOST_BYTES) return finish(file.name, null, `This file has ${formatBytes(file.size)}; plugins may have up to ${formatBytes(MOST_BYTES)}.`);
  plugins.set({ busy: file.name });
  const wasTraining = app.get().mode === 'training';
  try {
    const bytes = await file.arrayBuffer();
    // An accepted plugin comes with the full engine, which takes the place of the one that trains.
    await pause();
    const certificate = await (await getEngine()).engine.plugin(file.name, bytes);
    finish(file.name, certificate, certificate.ok ? '' : certificate.message);
  } catch (e) {
    finish(file.name, null, failureOf(e).message);
  } finally {
    if (wasTraining) play();
  }
}

/** Checks of the same name together, with the least of their margins. */
export interface CheckGroup { check: string; passed: number; failed: number; skipped: number; cases: number; margin: number; messages: string[] }
export function groupChecks(checks: readonly CheckLine[]): CheckGroup[] {
  const groups = new Map<string, CheckGroup>();
  for (const c of checks) {
    const g = groups.get(c.check) ?? { check: c.check, passed: 0, failed: 0, skipped: 0, cases: 0, margin: Infinity, messages: [] };
    g[c.result]++;
    g.cases += c.cases;
    if (c.result === 'passed' && c.margin > 0) g.margin = Math.min(g.margin, c.margin);
    if (c.message && c.result === 'failed') g.messages.push(`${c.op}: ${c.message}`);
    groups.set(c.check, g);
  }
  return [...groups.values()];
}

function Checks({ checks }: { checks: CheckLine[] }) {
  return (
    <table class="numbers cert-checks">
      <thead><tr><th scope="col">check</th><th scope="col">cases</th><th scope="col">margin</th><th scope="col"><span class="hidden-text">result</span></th></tr></thead>
      <tbody>
        {groupChecks(checks).map((g) => (
          <tr key={g.check} class={g.failed ? 'failed' : g.passed ? 'passed' : 'skipped'}>
            <th scope="row">{g.check}</th>
            <td class="number">{formatCount(g.cases)}</td>
            <td class="number">{Number.isFinite(g.margin) ? formatNumber(g.margin, 2) : ''}</td>
            <td>
              {g.failed ? <span class="bad"><Icon name="warning" size={13} /> failed</span>
                : g.passed ? <span class="ok"><Icon name="check" size={13} /> passed</span> : <span class="muted">skipped</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function useOp(op: string): void {
  const next = withOp(draft.get().text, op);
  draft.set({ text: next.text });
  showPanel('left', 'editor');
  notify({ tone: 'info', text: `Line ${next.line} uses ${op} now.`, hint: 'Change it as you like; it is applied when it is right.' });
}

function Ops({ certificate: c }: { certificate: Certificate }) {
  return (
    <ul class="cert-ops">
      {c.ops.map((op) => (
        <li key={op.name}>
          <p><strong class="number">{op.name}</strong> <span class="muted number small">{op.sig}</span></p>
          {op.doc && <p class="small">{op.doc}</p>}
          {op.math && <pre class="verbatim">{op.math.split(/;\s*/).join('\n')}</pre>}
          {c.ok && <Button label={`Use ${op.name} in the model`} tone="primary" testid={`use-${op.name}`} onClick={() => useOp(op.name)}>{`Use ${op.name} in the model`}</Button>}
        </li>
      ))}
    </ul>
  );
}

function CertificateCard({ tried: { name, certificate: c, refused } }: { tried: Tried }) {
  const ok = !!c?.ok;
  return (
    <article class={ok ? 'certificate accepted' : 'certificate refused'} data-testid="certificate">
      <p class={ok ? 'verdict good' : 'verdict wrong'} role="status">
        <Icon name={ok ? 'check' : 'warning'} />
        <span>
          <strong>{c?.plugin || name}</strong>
          {ok ? ` is verified: ${formatCount(c.passed)} checks passed${c.skipped ? `, ${formatCount(c.skipped)} do not apply` : ''}.`
            : ' is refused. Nothing of it was loaded.'}
        </span>
      </p>
      {!ok && refused && <pre class="verbatim report" tabIndex={0} data-testid="refusal">{refused}</pre>}
      {c?.doc && <p>{c.doc}</p>}
      {c && c.ops.length > 0 && <Ops certificate={c} />}
      {c && c.checks.length > 0 && <details open={!ok}><summary>{`Checks: ${c.passed} passed, ${c.failed} failed, ${c.skipped} skipped`}</summary><Checks checks={c.checks} /></details>}
      {c && c.hash && (
        <details>
          <summary>The file</summary>
          <dl class="cert-file small">
            <dt>name</dt><dd>{name}</dd>
            <dt>size</dt><dd class="number">{formatBytes(c.bytes)}</dd>
            <dt>SHA-256</dt><dd class="number">{c.hash}</dd>
            <dt>imports</dt><dd class="number">{c.imports.length ? c.imports.join(', ') : 'none'}</dd>
            <dt>verified in</dt><dd class="number">{`${formatCount(Math.round(c.ms))} ms`}</dd>
          </dl>
        </details>
      )}
    </article>
  );
}

export function PluginsPanel() {
  const tried = useStore(plugins, (p) => p.tried);
  const busy = useStore(plugins, (p) => p.busy);
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file) void tryFile(file);
    else notify({ tone: 'warning', text: 'That was no file.', hint: 'Drop a .wasm file that was built as a plugin of ebb.' });
  };
  return (
    <div class="plugins">
      <div class={over ? 'drop over' : 'drop'} data-testid="drop" onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
        onDrop={(e) => { e.preventDefault(); setOver(false); take(e.dataTransfer?.files); }}>
        <Icon name="plugin" size={28} />
        <p>{busy ? `Inspecting and verifying ${busy}` : 'Drop a plugin here'}</p>
        <p class="muted small">
          {busy ? 'The verifier runs its checks on every op of it, in a worker of its own.'
            : 'A .wasm file. It is inspected before any of it runs, and every op of it must pass the verifier.'}
        </p>
        {busy ? <progress aria-label={`Verifying ${busy}`} />
          : <Button label="Choose a plugin file" tone="plain" icon="open" testid="choose-plugin" onClick={() => input.current?.click()}>Choose a file</Button>}
        <input ref={input} type="file" accept=".wasm,application/wasm" hidden data-testid="plugin-file" aria-label="Plugin file"
          onChange={(e) => { take(e.currentTarget.files); e.currentTarget.value = ''; }} />
      </div>
      <div aria-live="polite" class="certificates">{tried.map((t) => <CertificateCard key={t.id} tried={t} />)}</div>
    </div>
  );
}
