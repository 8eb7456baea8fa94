/* Manager x bootloader x power x battery x peer x operator, for spin.
 *
 * One device runs OLD and is offered one package, good or bad. Everything that can go wrong may go
 * wrong at any step, so often as its budget says: power is lost, the peer fails, the new image
 * misbehaves, the battery turns unsafe, the operator aborts. What is checked stands in check.py
 * (`./check model`): the assertions in here, and the ltl formulas at the end.
 *
 * State names and allowed transitions are those of src/engine/state_machine.hpp: table.pml is
 * printed from that table, and go(from, to) is compared with it pair by pair. */

#include "table.pml"

mtype = { EMPTY, PARTIAL, WHOLE };                            /* what the standby slot holds */
mtype = { NONE, STAGING, ARMED, TRIAL, CONFIRMING, CONFIRMED, /* stage of the journal's record */
          REVERTING, REVERTED, REFUSED };
mtype = { NO_ENTRY, NEW, PENDING, VALID, INVALID, ABORTED };  /* otadata entry of the standby slot */
mtype = { OLD_IMAGE, NEW_IMAGE };

#define MAX_TRIALS 3

byte state = IDLE;
mtype content = EMPTY;
mtype stage = NONE;
mtype entry = NO_ENTRY;
mtype running = OLD_IMAGE;
bool package_good;    /* signature and fit hold */
bool image_healthy;   /* and the firmware is well */
bool proven = false;  /* in this run: what is in the slot was read back and verified */
bool was_proven = false; /* ghost: the bytes in the slot have been proven by some run */
bool armed = false;
bool safe = true;     /* battery */
bool off = false;     /* the device rests for good: nothing is asked of it any more */
byte attempts = 0;    /* trial boots asked for */
byte starts = 0;      /* ghost: updates begun, and how they ended */
byte ends = 0;
bool under_way = false;

/* budgets of trouble */
byte cuts = 2;        /* power losses */
byte faults = 2;      /* of peer or flash */
byte aborts = 1;
byte turns = 2;       /* of the battery */
byte asks = 2;        /* how often an operator starts an update */

/* The state that is left is said, so that the pairs in this file can be compared with the table. */
#define go(from, to) atomic { assert(state == from); assert(MAY_FOLLOW(from, to)); state = to }

inline leave_rest_to_checking() {
    if
    :: state == IDLE -> go(IDLE, CHECKING)
    :: state == FAILED -> go(FAILED, CHECKING)
    :: state == ABORTED_ -> go(ABORTED_, CHECKING)
    fi
}
inline leave_rest_to_failed() {
    if
    :: state == IDLE -> go(IDLE, FAILED)
    :: state == FAILED -> go(FAILED, FAILED)
    :: state == ABORTED_ -> go(ABORTED_, FAILED)
    fi
}
inline leave_rest_to_rebooting() {
    if
    :: state == IDLE -> go(IDLE, REBOOTING)
    :: state == FAILED -> go(FAILED, REBOOTING)
    :: state == ABORTED_ -> go(ABORTED_, REBOOTING)
    fi
}

inline begin_update() { atomic { starts++; under_way = true } }
inline end_update() { atomic { if :: under_way -> ends++; under_way = false :: else fi } }
/* Power may be lost after any step; what is in flash stays, what is in RAM is gone. */
#define cut() if :: cuts > 0 -> cuts--; goto boot :: skip fi

inline write_entry(to) {
    /* A rewrite in place erases first: power lost in between loses the entry (espidf.md 1.5). */
    entry = NO_ENTRY; cut(); entry = to
}

active proctype battery() {
    do
    :: atomic { turns > 0 -> turns--; safe = !safe }
    :: atomic { turns == 0 && !safe -> safe = true } /* in the end it is well */
    :: off -> break
    od
}

active proctype device() {
    if :: package_good = true :: package_good = false fi;
    if :: image_healthy = true :: image_healthy = false fi;

boot: /* bootloader, ESP-IDF's rules with rollback */
    atomic {
        state = IDLE; armed = false; proven = false; under_way = false;
        if
        :: entry == PENDING -> entry = ABORTED
        :: else
        fi
    };
    if
    :: entry == NEW ->
        write_entry(PENDING); running = NEW_IMAGE
    :: entry == VALID -> running = NEW_IMAGE
    :: else -> running = OLD_IMAGE
    fi;
    if
    :: running == NEW_IMAGE ->
        assert(content == WHOLE && package_good && was_proven); /* never boots what is not proven */
        if
        :: entry == PENDING && !image_healthy -> goto boot /* crashes before its manager */
        :: true
        fi
    :: else
    fi;

audit: /* boot/boot_audit.cpp */
    if
    :: running == NEW_IMAGE && entry == VALID -> stage = CONFIRMED; goto rest
    :: running == NEW_IMAGE && stage == CONFIRMING -> goto confirm
    :: running == NEW_IMAGE && stage == REVERTING -> goto revert
    :: running == NEW_IMAGE && stage != CONFIRMING && stage != REVERTING && entry != VALID -> goto trial
    :: running == OLD_IMAGE && stage == REVERTING -> stage = REVERTED; cut(); goto rest
    :: running == OLD_IMAGE && (stage == ARMED || stage == CONFIRMING) && entry == NO_ENTRY &&
       attempts <= MAX_TRIALS -> goto rearm
    :: running == OLD_IMAGE && (stage == ARMED || stage == TRIAL || stage == CONFIRMING) &&
       (entry == ABORTED || entry == INVALID || (stage == TRIAL && entry == NO_ENTRY) ||
        attempts > MAX_TRIALS) ->
        if
        :: attempts >= MAX_TRIALS || entry == INVALID || !image_healthy -> stage = REVERTED
        :: else -> stage = STAGING /* power cycles say nothing about the image */
        fi;
        cut(); goto rest
    :: running == OLD_IMAGE && (stage == NONE || stage == STAGING || stage == REVERTED ||
                                stage == REFUSED || stage == CONFIRMED) -> goto rest
    :: else -> goto rest
    fi;

trial:
    stage = TRIAL; cut();
    if
    :: image_healthy -> stage = CONFIRMING; cut(); goto confirm
    :: !image_healthy -> stage = REVERTING; cut(); goto revert
    fi;

confirm:
    write_entry(VALID); cut();
    stage = CONFIRMED; cut();
    goto rest;

revert:
    write_entry(INVALID); cut();
    leave_rest_to_rebooting();
    goto boot;

rearm: /* the entry was lost: the slot is proven again before it is named again */
    begin_update();
    go(IDLE, VERIFYING);
    goto verify;

rest:
    if
    :: running == OLD_IMAGE && asks > 0 && stage != REVERTED && stage != REFUSED ->
        asks--; goto check
    :: running == OLD_IMAGE && asks > 0 && (stage == REVERTED || stage == REFUSED) ->
        asks--; goto look /* offered again only to who asks; it ends as it did */
    :: running == NEW_IMAGE && asks > 0 -> asks--; goto look /* nothing newer is offered */
    :: asks > 0 -> asks--; goto boards
    :: running == OLD_IMAGE && asks > 0 ->
        asks--; leave_rest_to_failed() /* going back is refused: no other image */
    :: running == NEW_IMAGE && asks > 0 && !safe ->
        asks--; leave_rest_to_failed() /* going back is refused: unsafe */
    :: running == NEW_IMAGE && asks > 0 && safe ->
        atomic { asks--; stage = REVERTING }; /* the operator goes back to the proven image of OLD */
        cut();
        goto revert
    :: asks == 0 -> goto done
    fi;
    goto rest;

look: /* a check that finds nothing to install */
    leave_rest_to_checking();
    if
    :: go(CHECKING, IDLE)
    :: faults > 0 -> faults--; go(CHECKING, FAILED)
    :: aborts > 0 -> aborts--; go(CHECKING, ABORTED_)
    fi;
    goto rest;

boards: /* a package for module boards alone: the slots are not touched, and nothing restarts */
    begin_update();
    leave_rest_to_checking();
    go(CHECKING, UPDATE_AVAILABLE);
    (safe);
    go(UPDATE_AVAILABLE, DOWNLOADING);
    go(DOWNLOADING, VERIFYING);
    go(VERIFYING, READY_TO_APPLY);
    go(READY_TO_APPLY, APPLYING);
    cut();
    if
    :: faults > 0 -> faults--; go(APPLYING, FAILED); end_update(); goto rest /* a board is dead */
    :: safe -> go(APPLYING, COMPLETE)
    fi;
    end_update();
    go(COMPLETE, IDLE);
    goto rest;

check:
    begin_update();
    leave_rest_to_checking();
    if
    :: faults > 0 -> faults--; go(CHECKING, FAILED); end_update(); goto rest
    :: aborts > 0 -> aborts--; go(CHECKING, ABORTED_); end_update(); goto rest
    :: go(CHECKING, UPDATE_AVAILABLE)
    fi;
    if
    :: aborts > 0 -> aborts--; go(UPDATE_AVAILABLE, ABORTED_); end_update(); goto rest
    :: go(UPDATE_AVAILABLE, CHECKING); go(CHECKING, UPDATE_AVAILABLE) /* looked again */
    :: skip
    fi;
    if
    :: !safe -> go(UPDATE_AVAILABLE, FAILED); end_update(); goto rest /* refused at the start */
    :: safe -> go(UPDATE_AVAILABLE, DOWNLOADING)
    fi;

    /* stage: the entry of the slot goes before the first byte, the record before the second */
    entry = NO_ENTRY; cut();
    assert(running == OLD_IMAGE); /* the running slot is never written */
    if
    :: stage == STAGING && content != EMPTY -> skip /* resumes */
    :: else -> atomic { content = EMPTY; was_proven = false }; cut(); stage = STAGING; attempts = 0
    fi;
    cut();
    do
    :: !safe -> (safe) /* paused: nothing is written */
    :: safe && content != WHOLE ->
        atomic { content = (content == EMPTY -> PARTIAL : WHOLE); was_proven = false }; cut()
    :: faults > 0 -> faults--; go(DOWNLOADING, FAILED); end_update(); goto rest
    :: aborts > 0 -> aborts--; go(DOWNLOADING, ABORTED_); end_update(); goto rest
    :: safe && content == WHOLE -> break
    od;
    go(DOWNLOADING, VERIFYING);

verify:
    if
    :: aborts > 0 -> aborts--; go(VERIFYING, ABORTED_); goto given_up
    :: faults > 0 -> faults--; go(VERIFYING, FAILED); goto given_up
    :: !package_good || content != WHOLE ->
        go(VERIFYING, FAILED); stage = REFUSED; cut(); content = EMPTY; end_update(); goto rest
    :: package_good && content == WHOLE ->
        atomic { proven = true; was_proven = true }; go(VERIFYING, READY_TO_APPLY)
    fi;
    if
    :: aborts > 0 -> aborts--; go(READY_TO_APPLY, ABORTED_); goto given_up
    :: go(READY_TO_APPLY, APPLYING)
    fi;

apply:
    do
    :: aborts > 0 -> aborts--; go(APPLYING, ABORTED_); goto given_up
    :: !safe && armed -> armed = false; entry = NO_ENTRY; cut() /* disarmed */
    :: !safe && !armed -> (safe)
    :: safe && !armed ->
        stage = ARMED; attempts++; cut();
        if
        :: faults > 0 -> faults--; go(APPLYING, FAILED); goto given_up
        :: assert(proven); /* only a proof activates */
           armed = true; entry = NEW; cut()
        fi
    :: armed ->
        /* asked again after the write, and in the same step it is final */
        atomic { safe -> assert(safe && proven && entry == NEW); go(APPLYING, COMPLETE) };
        break
    od;
    end_update();
    go(COMPLETE, REBOOTING);
    goto boot;

given_up: /* before the restart nothing has happened: the boot choice is the old one */
    if
    :: armed -> armed = false; entry = NO_ENTRY
    :: else
    fi;
    if
    :: stage == ARMED || stage == CONFIRMING -> stage = STAGING
    :: else
    fi;
    assert(entry != NEW && entry != PENDING && entry != VALID);
    end_update();
    goto rest;

done:
    off = true
}

/* One end for each beginning that power did not take away, and none without a beginning. */
ltl ends_once { [] (ends <= starts) }
/* The running image is never in doubt once everything is over. */
ltl settles { <> (off && (running == OLD_IMAGE || entry == VALID)) }
/* Under finitely many faults every update ends. */
ltl every_update_ends { [] (under_way -> <> !under_way) }
/* What was confirmed and is healthy stays, unless somebody asks. */
ltl stays { [] ((stage == CONFIRMED && entry == VALID && asks == 0) -> [] (entry == VALID)) }
