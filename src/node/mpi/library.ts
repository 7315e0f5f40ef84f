/**
 * @file The functions of Open MPI's library, called through koffi. Signatures and constants are those of Open MPI's mpi.h (ABI of
 * libmpi.so.40, which versions 4 and 5 share); MPICH's handles are other types, so its library is refused.
 */
import { messageOf, NarrowsError } from '../../system/errors.ts';

/** Names under which systems have the library. */
const NAMES = ['libmpi.so.40', 'libmpi.so', 'libmpi.40.dylib', 'libmpi.dylib'];

/** Bytes, or memory that C reads and writes. */
export type Memory = ArrayBufferView | null;

/** A function of C that gives MPI's error code, at once or from another thread. */
interface Call {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
}

/** Names of the functions that are used, with their parameters in C. */
const FUNCTIONS = {
  Init_thread: 'void*, void*, int, void*',
  Query_thread: 'void*',
  Finalize: '',
  Abort: 'void*, int',
  Comm_rank: 'void*, void*',
  Comm_size: 'void*, void*',
  Comm_dup: 'void*, void*',
  Comm_set_errhandler: 'void*, void*',
  Error_string: 'int, void*, void*',
  Ibarrier: 'void*, void*',
  Test: 'void*, void*, void*',
  Bcast: 'void*, int, void*, int, void*',
  Allgather: 'void*, int, void*, void*, int, void*, void*',
  Allgatherv: 'void*, int, void*, void*, void*, void*, void*, void*',
  Alltoall: 'void*, int, void*, void*, int, void*, void*',
  Alltoallv: 'void*, void*, void*, void*, void*, void*, void*, void*, void*',
  Isend: 'void*, int, void*, int, int, void*, void*',
  Iprobe: 'int, int, void*, void*, void*',
  Get_count: 'void*, void*, void*',
  Recv: 'void*, int, void*, int, int, void*, void*',
  Error_class: 'int, void*',
  Comm_group: 'void*, void*',
  Group_size: 'void*, void*',
  Group_translate_ranks: 'void*, int, void*, void*, void*',
  Group_free: 'void*',
} as const;

/** Functions of ULFM (user-level failure mitigation), which Open MPI has from version 5 on. */
const FAULT_FUNCTIONS = {
  Comm_failure_ack: 'void*',
  Comm_failure_get_acked: 'void*, void*',
  Comm_revoke: 'void*',
  Comm_shrink: 'void*, void*',
} as const;

/** What `openMpiLibrary` gives. */
export interface MpiLibrary {
  /** By their names without `MPI_`. */
  readonly call: Readonly<Record<keyof typeof FUNCTIONS, Call>>;
  /** By their names without `MPIX_`; undefined where the library has no ULFM. */
  readonly faults?: Readonly<Record<keyof typeof FAULT_FUNCTIONS, Call>>;
  /** Handles: all processes, the type of single bytes, and the handler that gives errors back instead of ending the process. */
  readonly world: unknown;
  readonly byte: unknown;
  readonly errorsReturn: unknown;
}

/** MPI_THREAD_SERIALIZED: calls from several threads, one at a time. */
export const THREAD_SERIALIZED = 2;
/** MPI_THREAD_MULTIPLE. */
export const THREAD_MULTIPLE = 3;
/** MPI_ANY_SOURCE. */
export const ANY_SOURCE = -1;
/** Words (int32) of an MPI_Status; source and tag are the first two. */
export const STATUS_WORDS = 8;
/** Classes of errors: MPI_ERR_PROC_FAILED, MPI_ERR_PROC_FAILED_PENDING, MPI_ERR_REVOKED. */
export const DEATHS: readonly number[] = [75, 76, 77];

/**
 * Loads Open MPI. @param path of the library, instead of the names that systems have it under
 * @throws NarrowsError where koffi or the library is missing, or the library is another MPI's
 */
export async function openMpiLibrary(path?: string): Promise<MpiLibrary> {
  const { default: koffi } = await import('koffi').catch(error => {
    throw new NarrowsError(
      `To work as one of several MPI processes, Narrows needs the package koffi, which is not installed (${messageOf(error).split('\n')[0]}); run npm install koffi, or start it without mpirun.`,
      { cause: error },
    );
  });
  const reasons: string[] = [];
  for (const name of path ? [path] : NAMES) {
    let library: ReturnType<typeof koffi.load>;
    try {
      library = koffi.load(name, { global: true });
    } catch (error) {
      reasons.push(`${name}: ${messageOf(error)}`);
      continue;
    }
    const handle = (symbol: string): unknown => library.symbol(symbol, 'char');
    const bind = (prefix: string, functions: Readonly<Record<string, string>>): Record<string, Call> =>
      Object.fromEntries(
        Object.entries(functions).map(([key, parameters]) => [key, library.func(`int ${prefix}_${key}(${parameters})`) as unknown as Call]),
      );
    try {
      const call = bind('MPI', FUNCTIONS) as MpiLibrary['call'];
      let faults: MpiLibrary['faults'];
      try {
        faults = bind('MPIX', FAULT_FUNCTIONS) as MpiLibrary['faults'];
      } catch {
        // Open MPI 4, or 5 built without it: a death ends the run.
      }
      return {
        ...{ call, ...(faults ? { faults } : {}) },
        ...{ world: handle('ompi_mpi_comm_world'), byte: handle('ompi_mpi_byte'), errorsReturn: handle('ompi_mpi_errors_return') },
      };
    } catch (error) {
      throw new NarrowsError(
        `${name} is not Open MPI's library (${messageOf(error)}); install Open MPI, or name its library in NARROWS_MPI.`,
      );
    }
  }
  throw new NarrowsError(
    `This process was started as one of several, but Open MPI's library cannot be loaded (${reasons[0]}); install it (Debian: libopenmpi3), or name the file in NARROWS_MPI.`,
  );
}
