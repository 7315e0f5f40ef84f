import { connectWorker } from 'narrows/web';

const [file, caption] = document.querySelectorAll('input');
const button = document.querySelector('button');
const say = text => (document.querySelector('p').textContent = text);

const place = new URLSearchParams(location.search).get('model') ?? '/models/scene-clip/';
const model = { id: 'clip', name: 'clip', origin: 'address', place, bytes: 0 };
const createWorker = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const narrows = connectWorker({ createWorker, models: [model] });

for await (const event of narrows.open({ reference: 'clip' })) {
  if (event.kind === 'progress' && event.total) say(`Loading the model: ${Math.round((100 * event.done) / event.total)} %`);
  if (event.kind === 'failure') say(event.message);
  if (event.kind === 'opened') say('Choose a picture');
}

button.onclick = async () => {
  const chosen = file.files[0];
  if (!chosen) return say('Choose a picture first');
  const picture = await narrows.addPicture(chosen, chosen.name);
  const request = { model: 'clip', picture: picture.id, text: caption.value, methods: [{ name: 'm2ib' }] };
  for await (const event of narrows.attribute(request)) {
    // The gate opens: event.tokens is the map after each step.
    if (event.kind === 'frame') say(`Step ${event.step} of ${event.steps}, ${event.modality}`);
    if (event.kind === 'warning' || event.kind === 'failure') say(event.message);
    if (event.kind !== 'result') continue;
    const svg = await narrows.exportResult({ result: event.id, format: 'svg' });
    const image = new Image();
    image.src = URL.createObjectURL(svg);
    image.alt = `What "${caption.value}" needs of the picture`;
    document.querySelector('#figure').replaceChildren(image);
    say(`${event.attribution.text.words.map(word => `${word.text} ${word.value.toFixed(1)}`).join(', ')} (nats)`);
  }
};
