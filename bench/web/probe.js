// probe.js - what page.mjs runs in a page before the page's own scripts: it notes when things happen and how long they take, as window.probe.
(() => {
  const settled = (f) => { const c = new MessageChannel(); c.port1.onmessage = f; c.port2.postMessage(0); }; // in a task of its own: after the frame
  const probe = { engineReady: NaN, interactive: NaN, layouts: [], tasks: [], keys: [], worker: null };

  // The page's worker: when it is ready, and what its layouts took there.
  const Plain = Worker;
  window.Worker = class extends Plain {
    constructor(...args) {
      super(...args);
      probe.worker ??= this;
      this.addEventListener('message', ({ data }) => {
        if ('ready' in data && Number.isNaN(probe.engineReady)) probe.engineReady = performance.now();
        const { boxes, ms } = data.result ?? {};
        if (boxes) probe.layouts.push({ ms, nodes: boxes.filter((b) => b.kind === 'node').length, boxes: boxes.length });
      });
    }
  };

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) probe.tasks.push({ at: startTime, ms: duration });
  }).observe({ type: 'longtask', buffered: true });

  // Interactive: the graph is drawn, and the number of steps goes up.
  let first = null;
  const look = () => {
    const steps = document.querySelector('[data-testid="steps"]')?.textContent, canvas = document.querySelector('[data-testid="graph"]');
    if (steps && canvas && canvas.ariaBusy === 'false') {
      if (first !== null && steps !== first) { settled(() => { probe.interactive = performance.now(); }); return; }
      first ??= steps;
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);

  // Keys: `seen` is the time from the key to the end of the frame that shows it, `work` that without the wait for the frame to begin.
  probe.watchKeys = () => {
    probe.keys = [];
    let key = null;
    addEventListener('keydown', (e) => {
      key = { at: e.timeStamp, begin: performance.now(), handled: 0 };
    }, true);
    addEventListener('keydown', () => {
      const k = key;
      queueMicrotask(() => { k.handled = performance.now(); });
      requestAnimationFrame((frame) => settled(() => {
        const end = performance.now();
        probe.keys.push({ work: k.handled - k.begin + end - Math.max(frame, k.handled), seen: end - k.at });
      }));
    });
  };

  /** Counts frames for so long. -> { frames, longest: the longest gap between two (ms), ms } */
  probe.frames = (ms) => new Promise((done) => {
    const begin = performance.now();
    let frames = 0, last = begin, longest = 0;
    const tick = () => {
      const now = performance.now();
      frames++;
      longest = Math.max(longest, now - last);
      last = now;
      if (now - begin < ms) requestAnimationFrame(tick);
      else done({ frames, longest, ms: now - begin });
    };
    requestAnimationFrame(tick);
  });

  /** Bytes: the engine's memory, and the JavaScript heaps of the page and its worker after a collection. */
  probe.memory = async () => {
    const id = -1, engine = new Promise((done) => {
      const listen = ({ data }) => {
        if (data.id !== id) return;
        probe.worker.removeEventListener('message', listen);
        done(data.result);
      };
      probe.worker.addEventListener('message', listen);
    });
    probe.worker.postMessage({ id, name: 'memory', args: {} });
    const { wasm, inUse } = await engine;
    return { wasm, inUse, all: await performance.measureUserAgentSpecificMemory() };
  };
  window.probe = probe;
})();
