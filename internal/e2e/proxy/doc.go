// Package proxy stands on the wire between coffer and a simulated machine, knows where SSP frames begin and end (docs
// ssp.md, section 2), counts them both ways, and lets a test act at each: before a frame is passed on, and after.
package proxy
