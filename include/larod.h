/* SPDX-License-Identifier: Apache-2.0 */
/* The larod client interface: everything an application needs to run jobs on the devices of a larod service. */
#ifndef COM_AXIS_LAROD_H
#define COM_AXIS_LAROD_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* A program that was written for an older interface defines LAROD_API_VERSION_1 or LAROD_API_VERSION_2 before it
 * includes this file, in all of its sources, and gets the functions at the end of the file, some of them in place of
 * current ones. Both are deprecated, of which a #warning tells. LAROD_API_VERSION_3 is the current interface, as is
 * none. */
#if defined(LAROD_API_VERSION_1) && defined(LAROD_API_VERSION_2)
#error "LAROD_API_VERSION_1 and LAROD_API_VERSION_2 are both defined: which one is meant?"
#endif

#include "larod-version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Capacity of larodTensorDims and larodTensorPitches. */
#define LAROD_TENSOR_MAX_LEN 12
/* What larodGetModelId gives on failure; no model has it. */
#define LAROD_INVALID_MODEL_ID UINT64_MAX
/* What larodGetTensorFd gives on failure; -1 means that no fd is set. */
#define LAROD_INVALID_FD (INT_MIN)

/* What can be done with an fd: read() and write(), mmap(), and whether it is a dma-buf. */
#define LAROD_FD_PROP_READWRITE (UINT32_C(1) << 0)
#define LAROD_FD_PROP_MAP (UINT32_C(1) << 1)
#define LAROD_FD_PROP_DMABUF (UINT32_C(1) << 2)
/* Usual combinations: a dma-buf; a file in a file system or in memory. */
#define LAROD_FD_TYPE_DMA (LAROD_FD_PROP_DMABUF | LAROD_FD_PROP_MAP)
#define LAROD_FD_TYPE_DISK (LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP)

/* Handles; what stands behind them is the library's. */
typedef struct larodDevice larodDevice;
typedef struct larodModel larodModel;
typedef struct larodConnection larodConnection;
typedef struct larodJobRequest larodJobRequest;
typedef struct larodTensor larodTensor;
typedef struct larodMap larodMap;

/* Why something failed. Positive values are errno values. */
typedef enum {
    LAROD_ERROR_NONE = 0, /* never in an error object */
    LAROD_ERROR_JOB = -1, /* running a job failed */
#ifdef LAROD_API_VERSION_1
    LAROD_ERROR_INFERENCE = -1, /* what version 1 calls it */
#endif
    LAROD_ERROR_LOAD_MODEL = -2,           /* the device rejects the model */
    LAROD_ERROR_FD = -3,                   /* a file descriptor is missing or can't serve */
    LAROD_ERROR_MODEL_NOT_FOUND = -4,      /* no model has this id */
    LAROD_ERROR_PERMISSION = -5,           /* not allowed */
    LAROD_ERROR_CONNECTION = -6,           /* no service, or the connection is lost */
    LAROD_ERROR_CREATE_SESSION = -7,       /* the service refuses a session */
    LAROD_ERROR_KILL_SESSION = -8,         /* the end of the session was not confirmed */
    LAROD_ERROR_INVALID_CHIP_ID = -9,      /* no such device or chip */
    LAROD_ERROR_INVALID_ACCESS = -10,      /* no such access */
    LAROD_ERROR_DELETE_MODEL = -11,        /* the device can't delete the model */
    LAROD_ERROR_TENSOR_MISMATCH = -12,     /* tensors don't fit the model */
    LAROD_ERROR_VERSION_MISMATCH = -13,    /* library and service don't fit */
    LAROD_ERROR_ALLOC = -14,               /* buffers can't be had */
    LAROD_ERROR_POWER_NOT_AVAILABLE = -15, /* no power for the device now; try again later */
    LAROD_ERROR_MAX_ERRNO = 1024           /* no error: above all errno values */
} larodErrorCode;

/* Who may use a model; see larodLoadModel. */
typedef enum {
    LAROD_ACCESS_INVALID = 0,
    LAROD_ACCESS_PRIVATE = 1,
    LAROD_ACCESS_PUBLIC = 2,
    LAROD_ACCESS_USER_PROTECTED = 3
} larodAccess;

/* Type of a tensor's elements. BOOL takes one byte. */
typedef enum {
    LAROD_TENSOR_DATA_TYPE_INVALID = 0,
    LAROD_TENSOR_DATA_TYPE_UNSPECIFIED = 1,
    LAROD_TENSOR_DATA_TYPE_BOOL = 2,
    LAROD_TENSOR_DATA_TYPE_UINT8 = 3,
    LAROD_TENSOR_DATA_TYPE_INT8 = 4,
    LAROD_TENSOR_DATA_TYPE_UINT16 = 5,
    LAROD_TENSOR_DATA_TYPE_INT16 = 6,
    LAROD_TENSOR_DATA_TYPE_UINT32 = 7,
    LAROD_TENSOR_DATA_TYPE_INT32 = 8,
    LAROD_TENSOR_DATA_TYPE_UINT64 = 9,
    LAROD_TENSOR_DATA_TYPE_INT64 = 10,
    LAROD_TENSOR_DATA_TYPE_FLOAT16 = 11,
    LAROD_TENSOR_DATA_TYPE_FLOAT32 = 12,
    LAROD_TENSOR_DATA_TYPE_FLOAT64 = 13,
    LAROD_TENSOR_DATA_TYPE_MAX = 14
} larodTensorDataType;

/* Order of a tensor's dimensions: batch (N), height (H), width (W), channels (C). 420SP is semi-planar 4:2:0, such as
 * NV12: a plane of luma, then one of interleaved chroma. */
typedef enum {
    LAROD_TENSOR_LAYOUT_INVALID = 0,
    LAROD_TENSOR_LAYOUT_UNSPECIFIED = 1,
    LAROD_TENSOR_LAYOUT_NHWC = 2,
    LAROD_TENSOR_LAYOUT_NCHW = 3,
    LAROD_TENSOR_LAYOUT_420SP = 4,
    LAROD_TENSOR_LAYOUT_MAX = 5
} larodTensorLayout;

/* Why a call failed; see below, and larodClearError. */
typedef struct {
    larodErrorCode code;
    const char* msg;
} larodError;

/* `len` entries are valid; 0 means unspecified. See larodSetTensorDims and larodSetTensorPitches. */
typedef struct {
    size_t dims[LAROD_TENSOR_MAX_LEN];
    size_t len;
} larodTensorDims;

typedef struct {
    size_t pitches[LAROD_TENSOR_MAX_LEN];
    size_t len;
} larodTensorPitches;

/* Called when an asynchronous request is done. `model` is NULL exactly when `error` is not. */
typedef void (*larodLoadModelCallback)(larodModel* model, void* userData, larodError* error);
typedef void (*larodRunJobCallback)(void* userData, larodError* error);

/* ------------------------------------------------------------------------------------------------------------------
 * What holds for every function
 *
 * Failure. A function that gives a pointer fails with NULL, one that gives a bool with false; for others the failure
 * value is named. With a non-NULL `error`, *error is then a new object that says why: release it with larodClearError.
 * What *error held before is neither read nor released, so it need not be initialised; on success *error is not
 * touched. With `error` NULL there are no details. Output parameters are written on success only, except where stated.
 *
 * Codes. error->code is a larodErrorCode or a positive errno. Everywhere possible, and not repeated below: EINVAL for a
 * required pointer that is NULL or a value out of range, ENOMEM, and, in every function that is marked "service call",
 * LAROD_ERROR_CONNECTION when the service is unreachable or the connection is lost. error->msg is never NULL; it is
 * text for a person and may change.
 *
 * Service calls. A function marked "service call" waits for the service, without a time limit unless one is named.
 * Functions without the mark are local: they never wait, and they work on objects whose connection is closed.
 *
 * Callbacks run on one thread of the library a connection, one at a time, once for each call that returned true. Inside
 * a callback, local functions and the ...Async functions may be called; a service call on the same connection fails
 * with EDEADLK. `error` is NULL on success; otherwise it belongs to the library and is gone when the callback returns.
 * A callback should be short: it delays the later ones of its connection, and larodDisconnect. Their order is not
 * specified. All signals are blocked on the thread.
 *
 * Threads. Functions on different objects may be called from different threads at once, and so may all functions that
 * take a connection, with the same one, except larodDisconnect, which must be the last. Any other object (tensor, map,
 * request, model) is used by one thread at a time; reading it from several is fine. After fork() the child must not use
 * the connections of its parent.
 *
 * File descriptors. The library never closes a descriptor of the application, and its own are close-on-exec.
 * Strings and maps that are passed in are copied.
 * ------------------------------------------------------------------------------------------------------------------ */

/* -- Errors -- */

/* Releases *error and sets it to NULL. Nothing happens when `error` or *error is NULL. Not for the error that a
 * callback gets. */
void larodClearError(larodError** error);

/* -- Connection -- */

/* Connects to the service and opens a session; end it with larodDisconnect. Service call; gives up after 10 seconds
 * when something else than a larod service listens.
 *
 * The socket is the one that the environment variable LAROD_SOCKET names, else /run/larod/larod.sock. The list of
 * devices is fetched here and stays as it is. A process may hold several connections; each is a session of its own.
 *
 * Where the environment variable LAROD_DEBUG is 1, the library tells on stderr how the device gets at each tensor of a
 * job, and why so, when it is used for the first time: mapped, copied, or as a dma-buf.
 *
 * `conn`: gets the handle; NULL on failure.
 * Errors: LAROD_ERROR_CONNECTION (no service), LAROD_ERROR_CREATE_SESSION (the service refuses),
 * LAROD_ERROR_VERSION_MISMATCH (library and service are of different releases). */
bool larodConnect(larodConnection** conn, larodError** error);

/* Ends the session. Service call; gives up after 10 seconds.
 *
 * The handle is released and *conn set to NULL even when false is returned: the result only tells whether the service
 * confirmed. The one exception is a call inside a callback of this connection (EDEADLK), which leaves everything as it
 * is. Callbacks of outstanding requests run before the function returns, with LAROD_ERROR_CONNECTION unless the result
 * was there already; jobs that have not started are dropped. The session's private models are deleted, tracking ends,
 * and buffers that the service allocated are released once the application has unmapped and closed them.
 *
 * Devices become invalid. Models, tensors, maps and job requests can still be used with local functions (but for
 * larodGetModelDevice), and are still to be destroyed, in any order.
 *
 * Nothing happens, with true, when `conn` or *conn is NULL.
 * Errors: LAROD_ERROR_KILL_SESSION (not confirmed, or the service was gone already), EDEADLK. */
bool larodDisconnect(larodConnection** conn, larodError** error);

/* Stores the number of sessions that the service has now, this one included. Service call. */
bool larodGetNumSessions(larodConnection* conn, uint64_t* numSessions, larodError** error);

/* -- Devices: they belong to the connection and die with it -- */

/* Gives the device with exactly this name and instance number (from 0). The same device is always the same pointer.
 * Errors: LAROD_ERROR_INVALID_CHIP_ID (no such device). */
const larodDevice* larodGetDevice(const larodConnection* conn, const char* name, const uint32_t instance,
                                  larodError** error);

/* Gives the device's name; it lives as long as the device. */
const char* larodGetDeviceName(const larodDevice* dev, larodError** error);

/* Stores the device's instance number. */
bool larodGetDeviceInstance(const larodDevice* dev, uint32_t* instance, larodError** error);

/* Gives an array of all devices, with a NULL after the last, and stores their number, which may be 0, in `numDevices`
 * (required). The array belongs to the connection. */
const larodDevice** larodListDevices(larodConnection* conn, size_t* numDevices, larodError** error);

/* -- Models -- */

/* Loads a model onto a device and gives a handle; release it with larodDestroyModel. Service call, which may take
 * minutes on a device that compiles.
 *
 * `fd`      a readable file with the model's data, read from its beginning whatever its position. It may be closed as
 *           soon as the function returns. Negative: no data, for devices whose models are parameters; then `params` is
 *           required.
 * `dev`     from larodGetDevice or larodListDevices of this connection.
 * `access`  LAROD_ACCESS_PRIVATE: used by this session only, and deleted with it. LAROD_ACCESS_PUBLIC: used by every
 *           session, until someone deletes it. LAROD_ACCESS_USER_PROTECTED: used by the sessions of the same user.
 * `name`    for people; need not be unique; NULL counts as "". At most 4095 bytes.
 * `params`  parameters of the device's kind, or NULL.
 *
 * Errors: LAROD_ERROR_LOAD_MODEL (the device rejects data or parameters), LAROD_ERROR_FD (neither fd nor params, or not
 * readable), LAROD_ERROR_INVALID_ACCESS, LAROD_ERROR_POWER_NOT_AVAILABLE (try again later), EDEADLK. */
larodModel* larodLoadModel(larodConnection* conn, const int fd, const larodDevice* dev, const larodAccess access,
                           const char* name, const larodMap* params, larodError** error);

/* Like larodLoadModel, but returns when the request is handed over: everything that was passed in may be released, the
 * fd included. `callback` (required) gets the model, which is then the application's, or the error; `userData` is
 * passed through to it. Returns false, and never calls back, for errors that are known at once. */
bool larodLoadModelAsync(larodConnection* conn, const int inFd, const larodDevice* dev, const larodAccess access,
                         const char* name, const larodMap* params, larodLoadModelCallback callback, void* userData,
                         larodError** error);

/* Gives a new handle for a loaded model; release it with larodDestroyModel. Private models of other sessions can be
 * looked at, not used. Service call. Errors: LAROD_ERROR_MODEL_NOT_FOUND, EDEADLK. */
larodModel* larodGetModel(larodConnection* conn, const uint64_t modelId, larodError** error);

/* Gives new handles for all models that the service has, in an array with a NULL after the last, and stores their
 * number in `numModels` (may be NULL). Release with larodDestroyModels. Service call. Errors: EDEADLK. */
larodModel** larodGetModels(larodConnection* conn, size_t* numModels, larodError** error);

/* Releases the handle, not the model in the service, and sets *model to NULL. NULL is ignored. */
void larodDestroyModel(larodModel** model);

/* Releases `numModels` handles and the array of larodGetModels, and sets *models to NULL. NULL is ignored. */
void larodDestroyModels(larodModel*** models, size_t numModels);

/* Deletes the model in the service; a job that runs is finished, queued ones fail. The handle stays, for
 * larodDestroyModel. Service call. Errors: LAROD_ERROR_PERMISSION (private, of another session),
 * LAROD_ERROR_MODEL_NOT_FOUND, LAROD_ERROR_DELETE_MODEL, EDEADLK. */
bool larodDeleteModel(larodConnection* conn, larodModel* model, larodError** error);

/* Gives the model's number, unique in the service; LAROD_INVALID_MODEL_ID on failure. */
uint64_t larodGetModelId(const larodModel* model, larodError** error);

/* Gives the model's device. It belongs to the connection that the handle came from: don't use it once that is closed.
 */
const larodDevice* larodGetModelDevice(const larodModel* model, larodError** error);

/* Gives the bytes of the model's data (of its parameters, where it has no data); SIZE_MAX where they don't fit into a
 * size_t; 0 on failure. */
size_t larodGetModelSize(const larodModel* model, larodError** error);

/* Gives the model's name, never NULL on success; it lives as long as the handle. */
const char* larodGetModelName(const larodModel* model, larodError** error);

/* Gives the model's access; LAROD_ACCESS_INVALID on failure. */
larodAccess larodGetModelAccess(const larodModel* model, larodError** error);

/* Give the number of the model's input or output tensors; 0 on failure. */
size_t larodGetModelNumInputs(const larodModel* model, larodError** error);
size_t larodGetModelNumOutputs(const larodModel* model, larodError** error);

/* Give the byte size of each input or output as larodGetTensorByteSize does, in an array that the application releases
 * with free(). The count pointer may be NULL. Deprecated: use the tensors of larodCreateModelInputs. */
size_t* larodGetModelInputByteSizes(const larodModel* model, size_t* numInputs, larodError** error);
size_t* larodGetModelOutputByteSizes(const larodModel* model, size_t* numOutputs, larodError** error);

/* -- Tensors -- */

/* Make tensors that describe the model's inputs or outputs, in its order: name, data type, layout, dims and pitches are
 * the model's; no fd yet (fd -1, fd size 0, fd offset 0, props LAROD_FD_PROP_READWRITE). `numTensors` may be NULL.
 * Release with larodDestroyTensors. The model may be deleted and its connection closed. */
larodTensor** larodCreateModelInputs(const larodModel* model, size_t* numTensors, larodError** error);
larodTensor** larodCreateModelOutputs(const larodModel* model, size_t* numTensors, larodError** error);

/* As above, with a buffer for each from the service, zeroed, and tracked (see larodTrackTensor, also for the limit).
 * The fd size is the tensor's byte size. The fd can be mapped for reading and writing; larodDestroyTensors closes it,
 * unless the application has closed it before. All tensors get a buffer, or none. Service calls.
 *
 * `fdPropFlags`  LAROD_FD_PROP_* that the buffers must have; they may have more. 0: the service chooses.
 * `numTensors`   may be NULL.
 * `params`       parameters of the device's kind for the allocation, or NULL.
 *
 * Errors: LAROD_ERROR_ALLOC (impossible properties, not enough memory, too many tracked tensors),
 * LAROD_ERROR_MODEL_NOT_FOUND, LAROD_ERROR_PERMISSION (private model of another session), EDEADLK. */
larodTensor** larodAllocModelInputs(larodConnection* conn, const larodModel* model, const uint32_t fdPropFlags,
                                    size_t* numTensors, larodMap* params, larodError** error);
larodTensor** larodAllocModelOutputs(larodConnection* conn, const larodModel* model, const uint32_t fdPropFlags,
                                     size_t* numTensors, larodMap* params, larodError** error);

/* Makes `numTensors` (at least 1) tensors of which nothing is specified: no name (""), data type and layout
 * UNSPECIFIED, dims and pitches of length 0, fd -1, fd size 0, fd offset 0, props LAROD_FD_PROP_READWRITE. */
larodTensor** larodCreateTensors(size_t numTensors, larodError** error);

/* Releases the tensors and their array and sets *tensors to NULL, even when false is returned. Tracking ends and
 * buffers of the service are freed; mappings that the application has stay valid. The application's own fds stay open.
 *
 * Without tracked or allocated tensors this is local, can't fail, and `conn` may be NULL. With them it is a service
 * call on the connection that tracks them. Nothing happens, with true, when `tensors` or *tensors is NULL.
 * Errors: LAROD_ERROR_CONNECTION (`conn` is NULL, another connection or lost), EDEADLK (the service keeps the tracked
 * ones until larodDisconnect). */
bool larodDestroyTensors(larodConnection* conn, larodTensor*** tensors, size_t numTensors, larodError** error);

/* Dimensions: elements in each, at most LAROD_TENSOR_MAX_LEN of them. `len` 0: unspecified, not checked. Their order is
 * that of the layout: NHWC (N, H, W, C), NCHW (N, C, H, W), 420SP (3, H, W). The pointer that the getter gives lives as
 * long as the tensor and shows later changes. May be set on tracked tensors. */
bool larodSetTensorDims(larodTensor* tensor, const larodTensorDims* dims, larodError** error);
const larodTensorDims* larodGetTensorDims(const larodTensor* tensor, larodError** error);

/* Pitches: pitches[i] is the number of bytes that dimension i covers, padding included, so pitches[0] is the size of
 * the tensor, and the distance of neighbours in dimension i is pitches[i + 1]. 420SP: (bytes in all, bytes of the luma
 * plane, bytes of a row). `len` 0: unspecified, not checked. Otherwise as for dimensions; where both are set they must
 * have the same length when a request gets the tensor. */
bool larodSetTensorPitches(larodTensor* tensor, const larodTensorPitches* pitches, larodError** error);
const larodTensorPitches* larodGetTensorPitches(const larodTensor* tensor, larodError** error);

/* Data type of the elements. UNSPECIFIED is not checked; INVALID and MAX can't be set. The getter gives
 * LAROD_TENSOR_DATA_TYPE_INVALID on failure. May be set on tracked tensors. */
bool larodSetTensorDataType(larodTensor* tensor, const larodTensorDataType dataType, larodError** error);
larodTensorDataType larodGetTensorDataType(const larodTensor* tensor, larodError** error);

/* Layout. UNSPECIFIED is not checked; INVALID and MAX can't be set. The getter gives LAROD_TENSOR_LAYOUT_INVALID on
 * failure. May be set on tracked tensors. */
bool larodSetTensorLayout(larodTensor* tensor, const larodTensorLayout layout, larodError** error);
larodTensorLayout larodGetTensorLayout(const larodTensor* tensor, larodError** error);

/* The fd that holds the tensor's data, or -1 for none. Setting stores the number: no duplicate, no ownership; it must
 * be open while jobs use it. The getter gives LAROD_INVALID_FD on failure. Setting fails with EPERM on a tracked
 * tensor. */
bool larodSetTensorFd(larodTensor* tensor, const int fd, larodError** error);
int larodGetTensorFd(const larodTensor* tensor, larodError** error);

/* The most bytes that the service may touch through the fd; 0 for no such limit. Setting fails with EPERM on a tracked
 * tensor. */
bool larodSetTensorFdSize(larodTensor* tensor, const size_t size, larodError** error);
bool larodGetTensorFdSize(const larodTensor* tensor, size_t* size, larodError** error);

/* Where the tensor's data starts, in bytes from the beginning of the file, >= 0, for reading and for writing. The
 * getter gives -1 on failure. Setting fails with EPERM on a tracked tensor. */
bool larodSetTensorFdOffset(larodTensor* tensor, const int64_t offset, larodError** error);
int64_t larodGetTensorFdOffset(const larodTensor* tensor, larodError** error);

/* What can be done with the fd: LAROD_FD_PROP_*, at least one. The application promises that it is true. Setting fails
 * with EPERM on a tracked tensor. */
bool larodSetTensorFdProps(larodTensor* tensor, const uint32_t fdPropFlags, larodError** error);
bool larodGetTensorFdProps(const larodTensor* tensor, uint32_t* fdPropFlags, larodError** error);

/* Has the service keep what it needs for the tensor (its fd, a mapping) from now on, instead of anew for each job. The
 * fd and its size, offset and props can't be changed any more, and the application may close the fd. One tracked tensor
 * may serve several models; requests that have it already must get it again. Ends with larodDestroyTensors or
 * larodDisconnect. At most 32 tensors of a connection are tracked, allocated ones included. Service call.
 * Errors: EINVAL (tracked already), LAROD_ERROR_FD (no fd, or not open), LAROD_ERROR_ALLOC (the 33rd), EDEADLK. */
bool larodTrackTensor(larodConnection* conn, larodTensor* tensor, larodError** error);

/* Gives the tensor's name, "" where it has none; it lives as long as the tensor. */
const char* larodGetTensorName(const larodTensor* tensor, larodError** error);

/* Stores the tensor's size in bytes: pitches[0], else the product of the dimensions and the element size, else 0 for
 * undefined. */
bool larodGetTensorByteSize(const larodTensor* tensor, size_t* byteSize, larodError** error);

/* -- Maps: parameters by name -- */

/* Makes an empty map; release it with larodDestroyMap. */
larodMap* larodCreateMap(larodError** error);

/* Releases the map and all that it holds, and sets *map to NULL. NULL is ignored. */
void larodDestroyMap(larodMap** map);

/* Set a value; one with the same key and type is replaced. Keys have 1 to 127 characters, string values at most 127.
 * Errors: EINVAL (length; or the key has a value of another type, which then stays; integer, two integers and four are
 * three types). */
bool larodMapSetStr(larodMap* map, const char* key, const char* value, larodError** error);
bool larodMapSetInt(larodMap* map, const char* key, const int64_t value, larodError** error);
bool larodMapSetIntArr2(larodMap* map, const char* key, const int64_t value0, const int64_t value1, larodError** error);
bool larodMapSetIntArr4(larodMap* map, const char* key, const int64_t value0, const int64_t value1,
                        const int64_t value2, const int64_t value3, larodError** error);

/* Get a value. Pointers belong to the map, and are valid until the key is set again or the map destroyed.
 * larodMapGetInt leaves *value alone on failure. Errors: ENOENT (no such key), EINVAL (another type; key length). */
const char* larodMapGetStr(larodMap* map, const char* key, larodError** error);
bool larodMapGetInt(larodMap* map, const char* key, int64_t* value, larodError** error);
const int64_t* larodMapGetIntArr2(larodMap* map, const char* key, larodError** error);
const int64_t* larodMapGetIntArr4(larodMap* map, const char* key, larodError** error);

/* -- Jobs -- */

/* Makes a request to run a model with these tensors; release it with larodDestroyJobRequest.
 *
 * The request holds copies of everything but the buffers: model, tensors and `params` (may be NULL) may be changed and
 * destroyed afterwards, which it does not see. But the fds must stay open, and tracked tensors tracked, while jobs use
 * them. An array may be NULL where its count is 0. The priority is 50. Whether the tensors fit the model is checked
 * when a job runs.
 *
 * Errors: EINVAL (a NULL tensor), LAROD_ERROR_TENSOR_MISMATCH (a tensor has dims and pitches of different lengths, or a
 * layout and another number of dimensions than it has). */
larodJobRequest* larodCreateJobRequest(const larodModel* model, larodTensor** inputTensors, size_t numInputs,
                                       larodTensor** outputTensors, size_t numOutputs, larodMap* params,
                                       larodError** error);

/* Releases the request and sets *jobReq to NULL, also while a job that was started from it runs. NULL is ignored. */
void larodDestroyJobRequest(larodJobRequest** jobReq);

/* Replace what the request holds; on failure it stays as it was. Errors as for larodCreateJobRequest. */
bool larodSetJobRequestModel(larodJobRequest* jobReq, const larodModel* model, larodError** error);
bool larodSetJobRequestInputs(larodJobRequest* jobReq, larodTensor** tensors, const size_t numTensors,
                              larodError** error);
bool larodSetJobRequestOutputs(larodJobRequest* jobReq, larodTensor** tensors, const size_t numTensors,
                               larodError** error);

/* Sets the priority: 0 (lowest) to 100. Of the jobs that wait in one session for one device, the one with the highest
 * runs next; equal ones run in the order in which they were started. */
bool larodSetJobRequestPriority(larodJobRequest* jobReq, const uint8_t priority, larodError** error);

/* Replaces the parameters; NULL removes them. */
bool larodSetJobRequestParams(larodJobRequest* jobReq, const larodMap* params, larodError** error);

/* Runs a job and returns when its outputs are written. The application must not touch the tensors' data meanwhile. The
 * request is not changed and can be run again. Service call.
 *
 * Errors: LAROD_ERROR_MODEL_NOT_FOUND, LAROD_ERROR_PERMISSION (private model of another session),
 * LAROD_ERROR_TENSOR_MISMATCH (number or attributes of the tensors), LAROD_ERROR_FD (no fd, not open, no usable
 * property, too small; tracking has ended), LAROD_ERROR_POWER_NOT_AVAILABLE (try again later), LAROD_ERROR_JOB
 * (anything else), EDEADLK. */
bool larodRunJob(larodConnection* conn, const larodJobRequest* jobReq, larodError** error);

/* Queues a job and returns. The request may be changed and destroyed at once; the data must be left alone until
 * `callback` (required), which gets what larodRunJob would give; `userData` is passed through to it. Returns false, and
 * never calls back, for errors that are known at once. Waits only while the service is behind with reading. At most
 * 16,384 jobs of a connection can be outstanding; for more the callback gets LAROD_ERROR_JOB. */
bool larodRunJobAsync(larodConnection* conn, const larodJobRequest* jobReq, larodRunJobCallback callback,
                      void* userData, larodError** error);

/* -- Images: dims and pitches from width, height and row length -- */

/* Sets the dims of an image: NHWC (1, height, width, num_channels), NCHW (1, num_channels, height, width), 420SP
 * (3, height, width). The layout attribute of the tensor stays as it is: set it with larodSetTensorLayout.
 *
 * `layout`          one of the three.
 * `width`, `height` in pixels, >= 1.
 * `num_channels`    >= 1; 3 for 420SP.
 *
 * Errors: EINVAL (another layout, 0, or 420SP without 3 channels); the dims are then as before. */
bool larodBuildTensorDims(larodTensor* tensor, const larodTensorLayout layout, const size_t width, const size_t height,
                          const size_t num_channels, larodError** error);

/* Sets the pitches of an image whose rows are `pitch` bytes apart, and which has no padding elsewhere: NHWC (h * pitch,
 * h * pitch, pitch, num_channels * element size), NCHW (c * h * pitch, c * h * pitch, h * pitch, pitch), 420SP (luma
 * and chroma, h * pitch, pitch), where chroma has a row for two of luma, rounded up. The element size is that of the
 * tensor's data type, so set this first; it counts as 1 where the type is unspecified.
 *
 * `layout`        one of the three.
 * `pitch`         in bytes, >= 1: of a row of pixels (NHWC), or of one row of a plane (NCHW, 420SP).
 * `height`        in pixels, >= 1.
 * `num_channels`  >= 1.
 *
 * Errors: EINVAL (another layout, 0, or more bytes than a size_t can count); the pitches are then as before. */
bool larodBuildTensorPitches(larodTensor* tensor, const larodTensorLayout layout, const size_t pitch,
                             const size_t height, const size_t num_channels, larodError** error);

/* -- Vendors' memory and model formats -- */

/* Is to make a dma-buf of a vendor's VMEM fd, with the data at `offset` (bytes) of that one at its beginning, and give
 * its fd, which is the application's to close; LAROD_INVALID_FD on failure. Systems that this release runs on have no
 * VMEM. Errors: EOPNOTSUPP, always. */
int larodConvertVmemFdToDmabuf(const int fd, const int64_t offset, larodError** error);

/* Writes a model in the format that a device runs, so that it can be loaded later without what the device does to other
 * formats. cpu-tflite runs model files as they are: for it the model is loaded and deleted again, so that one that it
 * can't run is refused, and its bytes are written. Service call, as long as larodLoadModel.
 *
 * `modelFd`   a readable file, read from its beginning; its position stays.
 * `outputFd`  written from its position on, which moves behind what was written; not truncated; pipes will do. On
 *             failure it has got nothing, unless writing itself failed.
 * `dev`       from larodGetDevice or larodListDevices of this connection.
 * `params`    parameters of the device's kind as for larodLoadModel, or NULL.
 *
 * Both fds stay open, and are the application's to close.
 * Errors: EOPNOTSUPP (any other device), LAROD_ERROR_LOAD_MODEL (the device rejects the model), LAROD_ERROR_FD (an fd
 * can't be read or written), LAROD_ERROR_POWER_NOT_AVAILABLE (try again later), EDEADLK. */
bool larodExportModel(larodConnection* conn, const int modelFd, const int outputFd, const larodDevice* dev,
                      const larodMap* params, larodError** error);

/* ------------------------------------------------------------------------------------------------------------------
 * Versions 1 and 2, for programs that were written for them. What is said above holds, except where stated. Where a
 * function has another form than today, its name is a macro for the function with the old form. New programs should
 * not use any of this.
 * ------------------------------------------------------------------------------------------------------------------ */

#if defined(LAROD_API_VERSION_1) || defined(LAROD_API_VERSION_2)

/* What versions 1 and 2 name in place of devices. Each stands for the device of the name beside it. */
typedef enum {
    LAROD_CHIP_INVALID = 0,
    LAROD_CHIP_DEBUG = 1,               /* debug-device */
    LAROD_CHIP_TFLITE_CPU = 2,          /* cpu-tflite */
    LAROD_CHIP_TPU = 4,                 /* google-edge-tpu-tflite */
    LAROD_CHIP_CVFLOW_NN = 6,           /* ambarella-cvflow */
    LAROD_CHIP_TFLITE_GLGPU = 8,        /* gpu-tflite */
    LAROD_CHIP_CVFLOW_PROC = 9,         /* ambarella-cvflow-proc */
    LAROD_CHIP_ACE = 10,                /* axis-ace-proc or axis-a8-ace-proc */
    LAROD_CHIP_LIBYUV = 11,             /* cpu-proc */
    LAROD_CHIP_TFLITE_ARTPEC8DLPU = 12, /* axis-a8-dlpu-tflite */
    LAROD_CHIP_OPENCL = 13              /* axis-a8-gpu-proc, axis-a8-dlpu-proc or axis-a7-gpu-proc */
} larodChip;

/* Gives a text for people, constant and never NULL, also for values that are no chip. Local. */
const char* larodGetChipName(const larodChip chip);

/* Stores an array of the chips that the service has devices for, each once, in any order, in *chips, and their number,
 * which may be 0, in `numChips` (may be NULL). The application releases the array with free(). Devices without a chip
 * number are left out. */
bool larodListChips(larodConnection* conn, larodChip** chips, size_t* numChips, larodError** error);

/* Releases the tensors and their array, and sets *tensors to NULL; NULL is ignored. Local, unlike today's function: the
 * service keeps tracking the tensors, and keeps the buffers that it allocated, until larodDisconnect, and so they count
 * to the limit of 32. The fds of allocated tensors stay open until then, too, and are closed by it; when the connection
 * is closed already, they are closed here. The application may close them itself. */
void larodDestroyTensors_API_VERSION_1(larodTensor*** tensors, size_t numTensors);
#define larodDestroyTensors larodDestroyTensors_API_VERSION_1

#endif /* LAROD_API_VERSION_1 || LAROD_API_VERSION_2 */

#ifdef LAROD_API_VERSION_1

/* What version 1 calls a job request. */
typedef struct larodJobRequest larodInferenceRequest;

/* Called when an asynchronous inference is done; as larodRunJobCallback. */
typedef void (*larodRunInferenceCallback)(void* userData, larodError* error);

/* As larodLoadModel, onto the connection's current chip and without parameters. `fd` must not be negative. Further
 * error: LAROD_ERROR_INVALID_CHIP_ID (none was chosen, and there is none to begin with). */
larodModel* larodLoadModel_API_VERSION_1(larodConnection* conn, const int fd, const larodAccess access,
                                         const char* name, larodError** error);
#define larodLoadModel larodLoadModel_API_VERSION_1

/* As larodLoadModelAsync, onto the connection's current chip and without parameters. */
bool larodLoadModelAsync_API_VERSION_1(larodConnection* conn, const int fd, const larodAccess access, const char* name,
                                       larodLoadModelCallback callback, void* userData, larodError** error);
#define larodLoadModelAsync larodLoadModelAsync_API_VERSION_1

/* As larodCreateJobRequest, without parameters. */
larodInferenceRequest* larodCreateInferenceRequest(const larodModel* model, larodTensor** inputTensors,
                                                   size_t numInputs, larodTensor** outputTensors, size_t numOutputs,
                                                   larodError** error);

/* These are the functions of job requests under older names. */
void larodDestroyInferenceRequest(larodInferenceRequest** infReq);
#define larodDestroyInferenceRequest larodDestroyJobRequest

bool larodSetInferenceRequestModel(larodInferenceRequest* infReq, const larodModel* model, larodError** error);
#define larodSetInferenceRequestModel larodSetJobRequestModel

bool larodSetInferenceRequestInputs(larodInferenceRequest* infReq, larodTensor** tensors, const size_t numTensors,
                                    larodError** error);
#define larodSetInferenceRequestInputs larodSetJobRequestInputs

bool larodSetInferenceRequestOutputs(larodInferenceRequest* infReq, larodTensor** tensors, const size_t numTensors,
                                     larodError** error);
#define larodSetInferenceRequestOutputs larodSetJobRequestOutputs

bool larodSetInferenceRequestPriority(larodInferenceRequest* infReq, const uint8_t priority, larodError** error);
#define larodSetInferenceRequestPriority larodSetJobRequestPriority

/* As larodRunJob and larodRunJobAsync, but that the service synchronises the CPU cache for dma-bufs also where the
 * device takes them without mapping, which today is the application's part. Service calls. */
bool larodRunInference(larodConnection* conn, const larodInferenceRequest* infReq, larodError** error);
bool larodRunInferenceAsync(larodConnection* conn, const larodInferenceRequest* infReq,
                            larodRunInferenceCallback callback, void* userData, larodError** error);

/* The current chip of a connection: onto which its models are loaded. A chip's id is the place of its device in the
 * array of larodListDevices, from 0. To begin with it is the first one that runs neural networks and has a chip number;
 * where there is none, the getters fail until one is set. A change does not concern models that are loaded already, nor
 * loads that were started. All local.
 *
 * larodSetChip takes the device with the smallest id among those of the chip. larodGetChipType fails where the current
 * device, set by its id, has no chip number.
 * Errors: LAROD_ERROR_INVALID_CHIP_ID (the service has no such chip or id). */
bool larodGetChipId(larodConnection* conn, uint64_t* chipId, larodError** error);
bool larodSetChipId(larodConnection* conn, const uint64_t chipId, larodError** error);
bool larodSetChip(larodConnection* conn, const larodChip chip, larodError** error);
bool larodGetChipType(larodConnection* conn, larodChip* chipType, larodError** error);

#endif /* LAROD_API_VERSION_1 */

#ifdef LAROD_API_VERSION_2

/* As larodLoadModel, onto the device of a chip: instance 0 of the first of its names that is present. Further error:
 * LAROD_ERROR_INVALID_CHIP_ID (no chip, or the service has none of its devices). */
larodModel* larodLoadModel_API_VERSION_2(larodConnection* conn, const int fd, const larodChip chip,
                                         const larodAccess access, const char* name, const larodMap* params,
                                         larodError** error);
#define larodLoadModel larodLoadModel_API_VERSION_2

/* As larodLoadModelAsync, onto the device of a chip as above. */
bool larodLoadModelAsync_API_VERSION_2(larodConnection* conn, const int fd, const larodChip chip,
                                       const larodAccess access, const char* name, const larodMap* params,
                                       larodLoadModelCallback callback, void* userData, larodError** error);
#define larodLoadModelAsync larodLoadModelAsync_API_VERSION_2

/* Gives the chip of the model's device; LAROD_CHIP_INVALID on failure. Local.
 * Errors: LAROD_ERROR_INVALID_CHIP_ID (the device has no chip number). */
larodChip larodGetModelChip(const larodModel* model, larodError** error);

/* As larodRunJob and larodRunJobAsync, but that the service synchronises the CPU cache for dma-bufs also where the
 * device takes them without mapping, which today is the application's part. Service calls. */
bool larodRunJobAsync_API_VERSION_2(larodConnection* conn, const larodJobRequest* jobReq, larodRunJobCallback callback,
                                    void* userData, larodError** error);
#define larodRunJobAsync larodRunJobAsync_API_VERSION_2

bool larodRunJob_API_VERSION_2(larodConnection* conn, const larodJobRequest* jobReq, larodError** error);
#define larodRunJob larodRunJob_API_VERSION_2

#endif /* LAROD_API_VERSION_2 */

#ifdef __cplusplus
}
#endif

#endif /* COM_AXIS_LAROD_H */
