// certify.ts - a plugin's way into the full engine: looked at, linked, verified by the engine, and what became of it as a certificate.
import { C, EBB_CHECK, ebb_op, ebb_plugin, ebb_verify_options } from './generated/abi.ts';
import { EbbError } from './error.ts';
import { link } from './link.ts';
import { inspect, type Inspection } from './plugin.ts';
import type { Certificate, CheckLine } from './protocol.ts';
import type { Session } from './session.ts';

interface RawCheck { op: string; check: string; dtype: string; cases: number; margin: number; passed: boolean; skipped: boolean; message: string }

/** Runs f with ebb_verify_options that report every check. */
function reporting<R>(e: Session, line: (l: CheckLine) => void, f: (options: number) => R): R {
  const w = e.wasm;
  const report = w.callback('ii', '', (_user, c) => {
    const { passed, skipped, ...rest } = w.read<RawCheck>(c!, EBB_CHECK);
    line({ ...rest, result: skipped ? 'skipped' : passed ? 'passed' : 'failed' });
  });
  try {
    return w.frame(() => {
      const o = w.struct(ebb_verify_options.SIZE);
      w.u32[(o + ebb_verify_options.report) >> 2] = report.pointer;
      return f(o);
    });
  } finally { report.drop(); }
}

export function certificate(name: string, about: Pick<Inspection, 'hash' | 'bytes' | 'imports'>, message: string): Certificate {
  const { hash, bytes, imports } = about;
  return { ok: false, plugin: name, doc: '', ops: [], checks: [], passed: 0, failed: 0, skipped: 0, hash, bytes, imports, message, ms: 0 };
}

/** What the plugin's entry says of itself; nothing when it is not one. */
function readEntry(e: Session, entry: number): Pick<Certificate, 'plugin' | 'doc' | 'ops'> | null {
  const w = e.wasm, inside = (p: number) => p > 0 && p < w.u8.length - 256, word = (p: number) => (inside(p) ? w.u32[p >> 2]! : 0);
  const text = (p: number) => (inside(p) ? w.string(p) : '');
  if (!inside(entry) || text(entry) !== 'ebbplug') return null;
  const ops: Certificate['ops'] = [], list = word(entry + ebb_plugin.ops);
  for (let p = list, op; list && ops.length < 1000 && (op = word(p)); p += 4) {
    ops.push({ name: text(word(op + ebb_op.name)), math: text(word(op + ebb_op.math)), doc: text(word(op + ebb_op.doc)), sig: text(word(op + ebb_op.sig)) });
  }
  return { plugin: text(word(entry + ebb_plugin.name)), doc: text(word(entry + ebb_plugin.doc)), ops };
}

/** Inspects a plugin's bytes, links it, has it verified, and registers all of it in the session or nothing. progress gets the inspection, then checks. */
export async function certify(e: Session, name: string, bytes: ArrayBuffer, progress: (p: unknown) => void): Promise<Certificate> {
  const start = performance.now(), w = e.wasm, engine = w.x as unknown as Record<string, unknown>;
  const about = await inspect(bytes, (f) => typeof engine[f] === 'function');
  const cert = certificate(name, about, about.problem);
  progress(cert);
  if (!about.module) return cert;
  try {
    const entry = link(w, about.module, about);
    Object.assign(cert, readEntry(e, entry));
    const added = reporting(e, (l) => {
      cert.checks.push(l);
      cert[l.result]++;
      progress(l);
    }, (o) => w.frame(() => w.x.ebb_plugin_add(e.pointer, entry, w.text(name), o)));
    cert.ok = added !== 0;
    e.ops.attach();
    if (!added) cert.message = e.failure()?.message ?? 'it was refused';
  } catch (error) {
    if (error instanceof WebAssembly.LinkError) cert.message = `it cannot be linked: ${error.message}`;
    else if (error instanceof EbbError) cert.message = error.message;
    else throw Object.assign(error as Error, { certificate: cert });
  } finally { cert.ms = performance.now() - start; }
  return cert;
}

/** The checks on one op of the registry. */
export function verifyOp(e: Session, op: string, progress: (p: unknown) => void): { ok: boolean; checks: CheckLine[] } {
  const checks: CheckLine[] = [], w = e.wasm;
  const status = reporting(e, (l) => {
    checks.push(l);
    progress(l);
  }, (o) => w.frame(() => w.x.ebb_verify(e.pointer, w.text(op), o)));
  if (status && status !== C.EBB_E_VERIFY) throw e.failure() ?? new EbbError(`verify: ${op} cannot be verified`);
  e.throwIfFailed();
  return { ok: status === C.EBB_OK, checks };
}
