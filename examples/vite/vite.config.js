import { defineConfig } from 'vite';

// biome-ignore lint/style/noDefaultExport: Vite reads its settings so.
export default defineConfig({
  // A worker that loads parts of itself later needs the format of modules.
  worker: { format: 'es' },
  build: { target: 'es2022' },
  // Vite's development server would pack ONNX Runtime anew and lose its .wasm file.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
});
