/**
 * How far the timeline trusts RTP time against the room's clock. Every value is a time, so that it means the same at
 * every clock rate and packet length.
 */

/**
 * A late packet may be this much later than its neighbours and still take its place. Jitter buffers give up at
 * 200 ms; a recorder can wait, but files that grow during the call lag by this much.
 */
export const reorderHorizonUs = 1_000_000;

/**
 * From one packet to the next, RTP time and arrival time may disagree by this much before arrival wins. Below it lie
 * stalls of a network or of our own process, followed by a burst (RTP is right); above it senders that froze or reset
 * their RTP clock on hold (arrival is right).
 */
export const maxJumpUs = 1_000_000;

/**
 * Packets that were held up for so long keep the place that RTP time gives them, where those behind them catch up: our
 * own process stood still, or the network did. A growing file lags by this much behind a party that stopped sending.
 */
export const maxStallUs = 12_000_000;

/** Behind a stall longer than `maxJumpUs` the packets catch up by more than this at once. */
export const minCatchUpUs = 300_000;

/**
 * Many small disagreements, or a sender's bad clock, may add up to this much before arrival wins. Larger than an
 * hour of 200 ppm (0.72 s) together with `maxJumpUs` of jitter.
 */
export const maxLagUs = 2_000_000;

/**
 * A packet that arrives later than RTP time says, by more than this beyond the latest of the packets before it, comes
 * from a sender whose clock stood still in a pause, or it was held up on its way. Nobody holds a call for less, but
 * routes change their delay by 100 ms and machines under load are late by as much for seconds: both look like a pause,
 * and would put silence into the middle of a word.
 */
export const minPauseUs = 250_000;

/**
 * What follows such a packet tells which: behind a stall of the network the packets catch up, behind a pause they keep
 * the distance. A link that drains at 1.2 times the speed of the audio catches up by 80 ms in this time.
 */
export const pauseWindowUs = 500_000;

/** By so much, and the jitter of before, packets may catch up behind a pause. */
export const pauseSlackUs = 30_000;

/**
 * Behind a pause a sender may begin with so much audio at once that it kept back while it listened for a voice: that
 * is no catching up. Usual are 40 to 60 ms.
 */
export const maxPreRollUs = 60_000;

/** It is all there so soon; who sends 10 ms at a time has sent one more packet by then. */
export const preRollWindowUs = 20_000;

/** So many packets at least must keep the distance. */
export const minPausePackets = 5;

/**
 * Nobody speaks several times as fast as time goes on: packets behind which nothing comes for `pauseWindowUs` and that
 * came in less than one part in so many of their own length were held up, however few there are. `maxPreRollUs` at
 * once and 100 ms as they are spoken take over half of it, and as much with 40 ms of jitter is no such burst either.
 */
export const minBurstSpeed = 3;

/** Jitter is known from so many packets. */
export const lagPackets = 32;

/**
 * Audio may lie so much before its arrival and keep its place after a pause: the first packet of the stream may have
 * been slower than the others. Routes that change to and fro must not add up to more.
 */
export const maxPauseLeadUs = 100_000;

/** The first packets of a stream may have changed places on the way, by so much. */
export const startWindowUs = 100_000;
/** Those that left before the first one that arrived left no more than this before it. */
export const maxStartLeadUs = 200_000;

/** As many packets may wait for a decision. */
export const maxWaiting = 512;

/**
 * A new clock (SSRC, clock rate, timestamp base) that begins this close behind the earlier audio continues it:
 * arrival is not known better than one packet of jitter, and a hole of that size would be our invention.
 */
export const anchorSlackUs = 20_000;

/** The first packet of a stream may have been so much slower than the fastest of the next `pauseWindowUs`. */
export const maxSlownessUs = 200_000;

/** Audio sent faster than it can be spoken is taken this far ahead of the room's clock; then it is a flood. */
export const maxLeadUs = 60_000_000;

/** A jump of more sequence numbers than this, with no matching time, is another sequence (RFC 3550 A.1). */
export const maxDropoutPackets = 3000;

/** A step back of more sequence numbers than this is a sender that began again, not a late packet. */
export const maxMisorderPackets = 512;

/** Streams of one track that may still deliver stragglers after they were superseded. */
export const maxRuns = 4;

/** Clock anchors of one stream that late packets can still be placed by. */
export const maxAnchors = 8;

/** A lossy or hostile stream must not fill the memory; the counters stay exact beyond it. */
export const maxMarks = 10_000;

/** Drift is corrected when it has added up to this much, never below: so a clean call stays as it was decoded. */
export const minOffsetUs = 2000;

/** And when it is beyond what the estimate may be wrong by: so many standard deviations. */
export const offsetDeviations = 5;

/** Clocks of telephones are off by so much (standard deviation): what is assumed until something is known. */
export const usualDriftPpm = 200;

/** How much a clock changes its drift as it warms up and cools down: 1 ppm in eight minutes. */
export const driftWanderPpm2PerSecond = 0.002;

/**
 * Behind a PBX another telephone may go on with the same stream. Where the mean of about so many measurements is off by
 * so many standard deviations, four times what noise makes of it, the drift is taken to have changed by about this.
 */
export const biasMeasures = 16;
export const maxBias = 0.75;
export const changedDriftPpm = 40;

/** The fastest packet in so much RTP time shows how long the way is; of fewer packets it says too little. */
export const driftWindowUs = 1_000_000;
export const minDriftWindowPackets = 8;

/** So many of its fastest packets tell how much the very fastest varies: by so many times their usual distance. */
export const fastestPackets = 5;
export const noiseSpreads = 2.5;
/** What is usual is known from so many windows. */
export const spreadWindows = 8;

/** How much seconds differ from what was expected is known from so many. */
export const variesWindows = 8;

/** Before a stream lasts so long nothing is corrected: a clock 200 ppm off is 5 ms off by then, jitter looks like more. */
export const minSteerUs = 25_000_000;

/** Where arrivals do not differ at all, they were still read on a tick of some milliseconds, here or there. */
export const arrivalNoiseUs = 1000;

/**
 * What differs from the expected distance by more than both is no drift and no noise: another route, a jam. Ticks of
 * 10 ms, by which senders and receivers let drift add up unseen, stay below it.
 */
export const minOutlierUs = 12_000;
export const outlierDeviations = 5;

/** So many of them one after the other are passed over; then it is another route. */
export const maxOutliers = 3;

/** A correction makes up for what has added up in this time, and by so little above the drift that nobody hears it. */
export const correctionSettleSeconds = 10;
export const maxSlewPpm = 300;

/** All in all: a sixtieth of a semitone. */
export const maxCorrectionPpm = 900;

/** Smaller changes wait. */
export const minCorrectionStepPpm = 0.5;

/** RTP time in a sender report is as exact as its clock: a tick of 8 kHz. Where it is not, it shows. */
export const reportNoiseUs = 150;

/** They agree with the arrivals where the drift they tell differs by no more standard deviations than these. */
export const agreeDeviations = 3;

/** So many reports are needed to be believed. */
export const minReports = 4;

/** From one report to the next, the sender's wall clock, its RTP time and their arrival go on alike, within this. */
export const maxReportJumpUs = 1_000_000;

/** A wall clock that is set by another runs right within so much (standard deviation). */
export const wallClockPpm = 5;

/** Drift that is known so well is told. */
export const knownDriftPpm = 5;
