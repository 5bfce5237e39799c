// safetensors.ts - a session's parameters as the bytes of a .safetensors file, and back: 8 bytes of length, a JSON header, the elements.
import { EbbError } from './error.ts';
import type { Session } from './session.ts';
import { arrayOf, DTYPES } from './tensor.ts';

const NAMES: Record<string, string> = { f32: 'F32', f64: 'F64' };
interface Entry { dtype: string; shape: number[]; data_offsets: [number, number] }

/** All parameters, in the order they were made. */
export function saveParameters(e: Session): Uint8Array {
  const params = e.params().map((p) => ({ name: p.name, dtype: p.dtype, shape: p.shape, data: p.toTyped() })), header: Record<string, unknown> = {};
  let at = 0;
  for (const p of params) {
    header[p.name] = { dtype: NAMES[p.dtype], shape: p.shape, data_offsets: [at, at + p.data.byteLength] };
    at += p.data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header)), head = new Uint8Array((text.length + 7) & ~7).fill(32); // spaces behind it
  head.set(text);
  const file = new Uint8Array(8 + head.length + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(head.length), true);
  file.set(head, 8);
  at = 8 + head.length;
  for (const { data } of params) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/** Puts a file's numbers into the parameters of the same names. Nothing is changed when one is missing or does not fit. */
export function loadParameters(e: Session, file: Uint8Array): void {
  const not = (words: string): never => { throw new EbbError(`safetensors: ${words}`, 'io'); };
  if (file.length < 8) not(`${file.length} bytes are no file of this kind`);
  const n = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (8 + n > file.length) not(`the header should have ${n} bytes, the file has ${file.length}`);
  let header: Record<string, Entry>;
  try { header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + n))) as Record<string, Entry>; } catch { return not('the header is no JSON'); }
  const found = e.params().map((p) => {
    const entry = header[p.name], size = p.dtype === 'f64' ? 8 : 4;
    if (!entry) return not(`there is no ${p.name} in the file`);
    const [from, to] = entry.data_offsets;
    if (entry.dtype !== NAMES[p.dtype] || String(entry.shape) !== String(p.shape)) not(`${p.name} is ${entry.dtype}[${entry.shape}] in the file, ${p.dtype}[${p.shape}] here`);
    if (to - from !== p.size * size || from < 0 || 8 + n + to > file.length) not(`${p.name} has bytes ${from} to ${to} of ${file.length - 8 - n}`);
    const bytes = file.slice(8 + n + from, 8 + n + to);
    return { p, values: new (arrayOf(DTYPES.indexOf(p.dtype)))(bytes.buffer) };
  });
  for (const { p, values } of found) p.set(values);
}
