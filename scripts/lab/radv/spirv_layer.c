/* A Vulkan layer that writes every shader a program hands to its driver into the folder
 * $SPIRV_FOLDER, as 0.spv, 1.spv ... All other calls go on unchanged.
 *
 * That is how wgsl_cost.py gets the SPIR-V that the miner's own WebGPU library makes of the kernel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define EXPORT __attribute__((visibility("default")))

static PFN_vkGetInstanceProcAddr next_instance;
static PFN_vkGetDeviceProcAddr next_device;
static PFN_vkCreateShaderModule next_module;

/* The loader's message to a layer in a chain of structures; NULL where there is none. */
static const void *link_of(const void *chain, VkStructureType type) {
    for (const VkBaseInStructure *at = chain; at; at = at->pNext) {
        const VkLayerInstanceCreateInfo *info = (const void *)at;
        if (at->sType == type && info->function == VK_LAYER_LINK_INFO) return at;
    }
    return NULL;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(
    const VkInstanceCreateInfo *info, const VkAllocationCallbacks *memory, VkInstance *out) {
    VkLayerInstanceCreateInfo *link = (VkLayerInstanceCreateInfo *)link_of(
        info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    if (!link) return VK_ERROR_INITIALIZATION_FAILED;
    next_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    PFN_vkCreateInstance create =
        (PFN_vkCreateInstance)next_instance(VK_NULL_HANDLE, "vkCreateInstance");
    return create(info, memory, out);
}

static VKAPI_ATTR VkResult VKAPI_CALL create_device(
    VkPhysicalDevice card, const VkDeviceCreateInfo *info, const VkAllocationCallbacks *memory,
    VkDevice *out) {
    VkLayerDeviceCreateInfo *link = (VkLayerDeviceCreateInfo *)link_of(
        info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    if (!link) return VK_ERROR_INITIALIZATION_FAILED;
    PFN_vkGetInstanceProcAddr instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    next_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    PFN_vkCreateDevice create = (PFN_vkCreateDevice)instance(VK_NULL_HANDLE, "vkCreateDevice");
    VkResult result = create(card, info, memory, out);
    if (result == VK_SUCCESS)
        next_module = (PFN_vkCreateShaderModule)next_device(*out, "vkCreateShaderModule");
    return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_module(
    VkDevice device, const VkShaderModuleCreateInfo *info, const VkAllocationCallbacks *memory,
    VkShaderModule *out) {
    static int number;
    char path[4096];
    const char *folder = getenv("SPIRV_FOLDER");
    snprintf(path, sizeof path, "%s/%d.spv", folder ? folder : ".", number++);
    FILE *file = fopen(path, "wb");
    if (file) {
        fwrite(info->pCode, 1, info->codeSize, file);
        fclose(file);
    }
    return next_module(device, info, memory, out);
}

static PFN_vkVoidFunction VKAPI_CALL device_call(VkDevice device, const char *name);
static PFN_vkVoidFunction VKAPI_CALL instance_call(VkInstance instance, const char *name);

static PFN_vkVoidFunction ours(const char *name) {
    static const struct {
        const char *name;
        void *call;
    } calls[] = {
        {"vkCreateInstance", (void *)create_instance},
        {"vkCreateDevice", (void *)create_device},
        {"vkCreateShaderModule", (void *)create_module},
        {"vkGetDeviceProcAddr", (void *)device_call},
        {"vkGetInstanceProcAddr", (void *)instance_call},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (!strcmp(name, calls[i].name)) return (PFN_vkVoidFunction)calls[i].call;
    return NULL;
}

static PFN_vkVoidFunction VKAPI_CALL device_call(VkDevice device, const char *name) {
    PFN_vkVoidFunction call = ours(name);
    return call ? call : next_device(device, name);
}

static PFN_vkVoidFunction VKAPI_CALL instance_call(VkInstance instance, const char *name) {
    PFN_vkVoidFunction call = ours(name);
    return call ? call : next_instance(instance, name);
}

EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *said) {
    said->loaderLayerInterfaceVersion = 2;
    said->pfnGetInstanceProcAddr = instance_call;
    said->pfnGetDeviceProcAddr = device_call;
    said->pfnGetPhysicalDeviceProcAddr = NULL;
    return VK_SUCCESS;
}
