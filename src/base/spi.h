/*
 * spi.h
 *		A level of SPI, with its failures raised as errors.
 */
#ifndef PKT_SPI_H
#define PKT_SPI_H

/*
 * Enter and leave a level of SPI of our own: the caller's SPI_tuptable stays
 * as it is.  If an error comes between, the end of the (sub)transaction leaves
 * the level.  Its memory is overwritten before it is freed (base/wipe.h).
 */
extern void spi_connect(void);
extern void spi_finish(void);

#endif							/* PKT_SPI_H */
