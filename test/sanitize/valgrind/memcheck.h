/*
 * Valgrind's client requests, answered by AddressSanitizer.
 *
 * PostgreSQL marks in its memory contexts and buffers what nobody may touch:
 * the headers of chunks, the bytes behind what was asked for, freed chunks,
 * buffers that are not pinned.  It does so for Valgrind, when it is compiled
 * with USE_VALGRIND.  With this header in place of Valgrind's the same marks
 * poison the memory for AddressSanitizer, which would else see the blocks of a
 * context only, not the chunks in them.
 *
 * What Valgrind knows and this does not: whether memory was ever written.
 */
#ifndef PKT_MEMCHECK_H
#define PKT_MEMCHECK_H

#include <sanitizer/asan_interface.h>

#define VALGRIND_MAKE_MEM_NOACCESS(addr, size)	__asan_poison_memory_region((addr), (size))
#define VALGRIND_MAKE_MEM_UNDEFINED(addr, size) __asan_unpoison_memory_region((addr), (size))
#define VALGRIND_MAKE_MEM_DEFINED(addr, size)	__asan_unpoison_memory_region((addr), (size))
#define VALGRIND_CHECK_MEM_IS_DEFINED(addr, size)	((void) (addr), (void) (size))

/* aset.c and its like mark each chunk by the requests above, too */
#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed)	((void) 0)
#define VALGRIND_DESTROY_MEMPOOL(pool)	((void) 0)
#define VALGRIND_MEMPOOL_ALLOC(pool, addr, size)	__asan_unpoison_memory_region((addr), (size))
#define VALGRIND_MEMPOOL_FREE(pool, addr)	((void) 0)
#define VALGRIND_MEMPOOL_CHANGE(pool, from, to, size)	__asan_unpoison_memory_region((to), (size))

#endif							/* PKT_MEMCHECK_H */
