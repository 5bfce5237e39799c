// gallery.tsx - panel: models to begin with, and mistakes beside their repairs.
import { useState } from 'preact/hooks';
import { loadModel, showPanel } from '../actions';
import { useApp } from '../state';
import { Icon } from '../ui/icon';
import { galleryModels, type GalleryModel, type Mistake, mistakes } from '../lib/gallery';
import { MistakeDialog } from './mistake';
import './gallery.css';

const datasetOf = (text: string): string => /^\s*data\s+(\w+)/m.exec(text)?.[1] ?? '';

function ModelCard({ model, current }: { model: GalleryModel; current: boolean }) {
  const dataset = datasetOf(model.text);
  return (
    <li>
      <button type="button" class="model-card" aria-current={current ? 'true' : undefined} data-testid={`model-${model.id}`} onClick={() => void loadModel(model.text, { name: model.id })}>
        <span class="card-title">{model.title}{current && <Icon name="check" />}</span>
        <span class="card-line">{model.line}</span>
        {current && model.watch && <span class="card-line">{model.watch}</span>}
        {dataset && <span class="card-facts muted">data: {dataset}</span>}
      </button>
    </li>
  );
}

export function GalleryPanel() {
  const loaded = useApp((s) => s.model.text);
  const [shown, setShown] = useState<Mistake | null>(null);
  const openInEditor = (text: string, name: string): void => {
    setShown(null);
    showPanel('left', 'editor');
    void loadModel(text, { name });
  };
  return (
    <div class="gallery">
      <section class="section">
        <h4>Models</h4>
        <ul class="cards">{galleryModels.map((m) => <ModelCard key={m.id} model={m} current={m.text === loaded} />)}</ul>
      </section>
      <section class="section">
        <h4>Mistakes, beside their repair</h4>
        <ul class="cards">
          {mistakes.map((m) => (
            <li key={m.id}>
              <button type="button" class="model-card mistake" aria-haspopup="dialog" data-testid={`mistake-${m.id}`} onClick={() => setShown(m)}>
                <span class="card-title">{m.title}</span>
                <span class="card-line">{m.wrong}</span>
              </button>
            </li>
          ))}
        </ul>
      </section>
      {shown && <MistakeDialog mistake={shown} onClose={() => setShown(null)} onOpen={openInEditor} />}
    </div>
  );
}
