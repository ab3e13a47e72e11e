/*
 * conversion_write.h
 *		Writes goals reached, orders, carts and their items.
 */
#ifndef PKT_CONVERSION_WRITE_H
#define PKT_CONVERSION_WRITE_H

#include "log/log.h"
#include "visit/conversion.h"

extern void conversion_order_known(int32 idsite, const char *idorder, int64 idvisit,
								   const HexId *ids, int n, KnownOrder *known);
extern void conversion_write(Log *log, const Conversions *c, const Visit *visit,
							 NullableInt idlink_va);

#endif							/* PKT_CONVERSION_WRITE_H */
