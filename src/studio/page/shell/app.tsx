/** @file The shell: name, views, model, theme; the live region; the view that the address asks for. */
import { useEffect } from 'preact/hooks';
import { announcement } from '../state/announce.ts';
import { place } from '../state/place.ts';
import { info, placeWords, start, trouble } from '../state/studio.ts';
import { isDark, toggleTheme } from '../state/theme.ts';
import { ModelChoice } from './model-choice.tsx';
import { offeredViews, viewOf } from './views.tsx';

function Header() {
  const now = viewOf(place.value.view);
  return (
    <header class="top">
      <a class="name" href="#/attribute" aria-label="Narrows studio, start">
        Narrows
      </a>
      <nav aria-label="Views">
        {offeredViews(info.value).map(view => (
          <a key={view.id} href={`#/${view.id}`} aria-current={now.id === view.id ? 'page' : undefined}>
            {view.title}
          </a>
        ))}
      </nav>
      <ModelChoice />
      <button type="button" class="plain theme" aria-label={isDark() ? 'Light theme' : 'Dark theme'} onClick={toggleTheme}>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M8 1.5a6.5 6.5 0 1 0 0 13z" fill="currentColor" />
          <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.3" />
        </svg>
      </button>
    </header>
  );
}

/** The page. */
export function App() {
  useEffect(() => {
    document.title = `${viewOf(place.value.view).title} – Narrows studio`;
  }, [place.value.view]);
  const View = viewOf(place.value.view).view;
  return (
    <>
      <Header />
      {trouble.value && (
        <div class="trouble" role="alert">
          <p>{trouble.value}</p>
          <button type="button" onClick={() => void start()}>
            Try again
          </button>
        </div>
      )}
      <main id="main">
        <View />
      </main>
      <footer class="foot">
        {info.value && (
          <p>
            Narrows {info.value.version}, computed {placeWords()}; no picture leaves it.
          </p>
        )}
      </footer>
      <p class="unseen" role="status" aria-live="polite">
        {announcement.value}
      </p>
    </>
  );
}
