/*
 * spi.c
 *		A level of SPI, with its failures raised as errors; see spi.h.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "base/spi.h"
#include "base/wipe.h"

void
spi_connect(void)
{
	int			rc = SPI_connect();

	if (rc != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed: %s", SPI_result_code_string(rc));
	wipe_at_end(CurrentMemoryContext);
}

void
spi_finish(void)
{
	int			rc = SPI_finish();

	if (rc != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed: %s", SPI_result_code_string(rc));
}
