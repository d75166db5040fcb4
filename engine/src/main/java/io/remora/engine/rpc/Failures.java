package io.remora.engine.rpc;

import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Carries Remora's failures over gRPC: the message as description, the status as a trailer. */
final class Failures {
  private static final Metadata.Key<String> STATUS = Metadata.Key.of("remora-status", Metadata.ASCII_STRING_MARSHALLER);

  private Failures() {}

  /** What a server answers. */
  static StatusRuntimeException answer(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException) && cause.getCause() != null) {
      cause = cause.getCause();
    }
    Status status = cause instanceof RemoraException known ? known.status() : Status.INTERNAL;
    String text = cause instanceof RemoraException
        ? cause.getMessage()
        : "the node failed: " + cause + "; its log says more";
    Metadata trailers = new Metadata();
    trailers.put(STATUS, status.name());
    return code(status).withDescription(text).asRuntimeException(trailers);
  }

  /** What a client makes of an answer. */
  static RemoraException failure(StatusRuntimeException answer, String what) {
    Metadata trailers = answer.getTrailers();
    String name = trailers == null ? null : trailers.get(STATUS);
    String description = answer.getStatus().getDescription();
    if (name != null) {
      return new RemoraException(status(name), String.valueOf(description), answer);
    }
    return switch (answer.getStatus().getCode()) {
      case DEADLINE_EXCEEDED -> new RemoraException(Status.TIMED_OUT, what + " did not answer in time", answer);
      case UNAVAILABLE -> new RemoraException(Status.DISCONNECTED,
          what + " does not run any more: start it again with 'remora up'", answer);
      default -> new RemoraException(Status.INTERNAL, what + " answered " + answer.getStatus(), answer);
    };
  }

  private static Status status(String name) {
    for (Status status : Status.values()) {
      if (status.name().equals(name)) {
        return status;
      }
    }
    return Status.INTERNAL;
  }

  private static io.grpc.Status code(Status status) {
    return switch (status) {
      case OK -> io.grpc.Status.OK;
      case INVALID, OUT_OF_RANGE -> io.grpc.Status.INVALID_ARGUMENT;
      case UNSUPPORTED -> io.grpc.Status.UNIMPLEMENTED;
      case NOT_FOUND -> io.grpc.Status.NOT_FOUND;
      case EXISTS -> io.grpc.Status.ALREADY_EXISTS;
      case BUSY, MISCOMPARE, READ_ONLY -> io.grpc.Status.FAILED_PRECONDITION;
      case DENIED -> io.grpc.Status.PERMISSION_DENIED;
      case NO_SPACE, NO_RESOURCES -> io.grpc.Status.RESOURCE_EXHAUSTED;
      case MEDIUM_ERROR, CORRUPT -> io.grpc.Status.DATA_LOSS;
      case DISCONNECTED -> io.grpc.Status.UNAVAILABLE;
      case TIMED_OUT -> io.grpc.Status.DEADLINE_EXCEEDED;
      case ABORTED -> io.grpc.Status.ABORTED;
      case PROTOCOL_ERROR, INTERNAL -> io.grpc.Status.INTERNAL;
    };
  }
}
