// A method of one's own: how far a patch's colour is from the picture's mean. It looks at no model, so it is a control.
// narrows attribute --plugin ./local-contrast.mjs --method local-contrast
export const methods = [
  {
    name: 'local-contrast',
    title: 'Local contrast',
    family: 'control',
    modalities: ['image'],
    async explain({ image, encoded, model }) {
      const maps = encoded.pairs.map((pair, p) => {
        const { pixelValues } = model.processor.process(pair.image); // [3, H, W], the mean colour is about 0
        const [, height, width] = pixelValues.shape;
        const [rows, columns] = image.grid;
        const tokens = new Float32Array(image.tokens);
        for (let i = 0; i < pixelValues.data.length; i++) {
          const [y, x] = [Math.floor((i % (height * width)) / width), i % width];
          const patch = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
          tokens[image.players[p][patch]] += Math.abs(pixelValues.data[i]) * ((rows * columns) / pixelValues.data.length);
        }
        return { tokens };
      });
      return { image: maps };
    },
  },
];
