/** @file On what graphs run: the names of devices, ONNX Runtime's providers for them, and what is said where one is missing. */
import { messageOf, NarrowsError } from '../system/errors.ts';

/** Devices, each the name of its provider in ONNX Runtime. */
export const DEVICES = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;

/** The processor, NVIDIA's cards, any graphics card through WebGPU, Apple's chips, Windows' DirectML. */
export type Device = (typeof DEVICES)[number];

/** Where each provider comes from. */
const SOURCES: Readonly<Record<Device, string>> = {
  cpu: '',
  cuda: 'it is for Linux on x64 with an NVIDIA card and needs CUDA 12 and the provider that the install script of onnxruntime-node downloads',
  webgpu: 'it is for Linux on x64, macOS and Windows and needs a graphics card with a driver for Vulkan, Metal or Direct3D 12',
  coreml: 'it is for macOS on Apple chips',
  dml: 'it is for Windows',
};

/** What ONNX Runtime and its providers say where a provider, its libraries or its hardware are not there. */
const MISSING =
  /backend not found|no available backend|failed to load shared library|provider.*not (available|enabled|found)|adapter|no .*device/i;

/** @returns the device of a name; the environment's NARROWS_DEVICE, or the processor, without one. @throws NarrowsError (usage) */
export function deviceOf(name: string | undefined): Device {
  const device = DEVICES.find(one => one === (name ?? 'cpu'));
  if (device) return device;
  throw new NarrowsError(`There is no device "${name}"; take one of ${DEVICES.join(', ')}.`, { kind: 'usage' });
}

/** What a runtime on a device says of itself. */
export const deviceFacts = (device: Device): { readonly device?: Device; readonly webgpu?: boolean } => ({
  ...(device === 'cpu' ? {} : { device }),
  // Only the processor and CUDA have ONNX Runtime's product of transposed matrices; the others would send its operands to the host and back.
  ...(device === 'cpu' || device === 'cuda' ? {} : { webgpu: true }),
});

/** The error of a session that could not be made: one sentence where the device is missing, else as it was. */
export function deviceError(error: unknown, device: Device): unknown {
  if (device === 'cpu' || !MISSING.test(messageOf(error))) return error;
  // Before the cause stands where in ONNX Runtime's sources it was found.
  const reason = messageOf(error)
    .split('\n')[0]
    .replace(/^.* was false\. /, '');
  return new NarrowsError(
    `The device "${device}" cannot be used here (${reason.replace(/\.$/, '')}): ${SOURCES[device]}. Take --device cpu.`,
    {
      cause: error,
    },
  );
}
