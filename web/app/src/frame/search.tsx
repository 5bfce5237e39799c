// search.tsx - the search dialog: what is found is marked in the graph while typing, Enter goes there.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { goTo, showDialog } from '../actions';
import { lookAt } from '../graph/viewstate';
import { type Found, search } from '../search';
import { app, useApp } from '../state';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';

export function SearchDialog() {
  const trace = useApp((s) => s.trace);
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const found = useMemo(() => (trace ? search(trace, query) : []), [trace, query]);
  const at = Math.min(chosen, found.length - 1);

  useEffect(() => { app.set({ found: found.map((f) => f.ref) }); }, [found]);
  useEffect(() => () => app.set({ found: [] }), []);
  useEffect(() => { document.getElementById(`found-${at}`)?.scrollIntoView({ block: 'nearest' }); }, [at]);

  const go = (item: Found | undefined): void => {
    if (!item) return;
    showDialog(null);
    void goTo(item.ref).then(() => lookAt(item.ref));
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step && found.length) setChosen((at + step + found.length) % found.length);
    else if (e.key === 'Enter') go(found[at]);
    else return;
    e.preventDefault();
  };
  return (
    <Dialog title="Search the graph" onClose={() => showDialog(null)} testid="search-dialog">
      <div class="search-field">
        <Icon name="search" />
        <input type="text" value={query} placeholder="relu, W, 64x24" role="combobox" aria-label="Op, name or shape" aria-expanded={found.length > 0} aria-controls="found" spellcheck={false}
          aria-activedescendant={found.length ? `found-${at}` : undefined} autocomplete="off" autofocus onKeyDown={onKeyDown}
          onInput={(e) => { setQuery(e.currentTarget.value); setChosen(0); }} data-testid="search-input" />
      </div>
      <ul class="found" id="found" role="listbox" aria-label="Found">
        {found.map((item, i) => (
          <li key={`${item.ref.kind}${item.ref.id}`} id={`found-${i}`} role="option" aria-selected={i === at} onClick={() => go(item)} onPointerMove={() => setChosen(i)}>
            <span class="row-name">{item.title}</span><span class="quiet">{item.detail}</span>
          </li>
        ))}
      </ul>
      <p class="quiet" role="status">{query && !found.length ? 'Nothing has these words.' : query ? `${found.length}${found.length === 60 ? ' or more' : ''} found` : ''}</p>
    </Dialog>
  );
}
